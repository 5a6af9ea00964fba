/** What can be brought back, and the housekeeping: what the store clears away by itself, and how it stands. */

/** Where a message is, or was. */
export interface MessagePlace {
  readonly mailboxId: number
  readonly uid: number
}

/** A message that was expunged, or whose mailbox was deleted, and that can be put back. */
export interface ExpungedMessage extends MessagePlace {
  /** The mailbox's name now, or when it was deleted. */
  readonly mailbox: string
  /** The mailbox was deleted: it will be put into another one of that name, else into INBOX. */
  readonly mailboxGone: boolean
  /** Milliseconds since 1970. */
  readonly expungedAt: number
  readonly flags: number
  readonly internalDate: number
  /** RFC822.SIZE. */
  readonly octets: number
  readonly emailId: number
}

export interface ExpungedQuery {
  /** Expunged at this time or later. */
  readonly since?: number
  /** Of a mailbox of that name, now or when it was deleted. */
  readonly mailbox?: string
  /** 1 to 100,000. */
  readonly limit: number
}

export interface Undeleted {
  readonly from: MessagePlace
  readonly to: MessagePlace
}

/** What a pass of the housekeeping has done so far. */
export interface CleanReport {
  /** Messages expunged from Trash and Junk because they were there long enough. */
  readonly expired: number
  /** Expunged UIDs that were forgotten. */
  readonly forgotten: number
  /** Rows of emails and bodies that belonged to nothing; there should never be any. */
  readonly orphanRows: number
  /** Files that belonged to nothing. */
  readonly orphanFiles: number
  readonly segmentsRemoved: number
  readonly segmentsRewritten: number
  /** Of the segments rewritten: their files, and what was written instead. */
  readonly octetsRead: number
  readonly octetsWritten: number
  /** Bodies that were found damaged and left where they are. */
  readonly damaged: number
}

export interface CleanProgress {
  /** What it is at, a few words. */
  readonly step: string
  /** How far, and of how much; equal when the step does not say. */
  readonly done: number
  readonly total: number
  readonly report: CleanReport
}

export interface StoreStat {
  readonly accounts: number
  readonly messages: number
  /** As counted against quotas: RFC822.SIZE of each message, whatever bodies they share. */
  readonly octets: number
  readonly queued: number
  readonly segments: {
    readonly count: number
    /** Of these, rewritten and compressed. */
    readonly packed: number
    /** Of their files. */
    readonly octets: number
    /** Of those, what messages and queue refer to. */
    readonly liveOctets: number
    readonly garbageOctets: number
    /** Octets of the live bodies before compression. */
    readonly bodyOctets: number
  }
  readonly largeBodies: { readonly count: number; readonly octets: number }
  /** What can be put back. */
  readonly undelete: {
    readonly messages: number
    readonly octets: number
    readonly accounts: number
  }
  readonly tablesOctets: number
  readonly walOctets: number
}

export interface HousekeepingStore {
  /**
   * Whether changes reach the disk. Fulfilled at once when one did so lately, else when one has been written for this.
   *
   * @param withinMs How lately.
   * @throws {StoreUnavailable}
   */
  proveWrites(withinMs: number): Promise<void>
  /** What can be put back, the newest first. */
  listExpunged(accountId: number, query: ExpungedQuery): Promise<ExpungedMessage[]>
  /**
   * Puts messages back with new UIDs. One that cannot be put back any more is passed over.
   *
   * @throws {OverQuota} Those put back before stay. @throws {AccountUnknown}
   */
  undelete(accountId: number, messages: readonly MessagePlace[]): Promise<Undeleted[]>
  /** Reads all rows of bodies: some seconds for millions of messages, on a thread of its own. */
  stat(): Promise<StoreStat>
  /**
   * Does all the housekeeping there is now; joins a pass that is under way.
   *
   * @throws {StoreUnavailable} The disk fails, or the store is closing. What was done stays done.
   */
  clean(progress?: (progress: CleanProgress) => void): Promise<CleanReport>
  /**
   * While it is held, no file of bodies that has been sealed is removed or rewritten: for who copies them.
   *
   * @returns Lets go.
   */
  holdFiles(): Promise<() => void>
}
