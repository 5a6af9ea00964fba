/** What backup, restore and verify are asked and what they answer; sqlite/backup/ and sqlite/verify/ do it. */

export interface BackupRequest {
  /** Absolute. Made when it is missing, but not what it lies in; several backups share it. */
  readonly folder: string
  /** Complete backups to keep, the new one counted; null: all. */
  readonly keep: number | null
  /** The journeys too. */
  readonly journeys: boolean
  /** Sealed segments as hard links where the file system allows it: quick, and no protection against a failing disk. */
  readonly link: boolean
}

/** How far something long has come. */
export interface WorkProgress {
  /** A few words. */
  readonly step: string
  readonly done: number
  /** 0: the step does not say. */
  readonly total: number
  readonly unit: 'octets' | 'messages' | 'rows'
}

export interface BackupReport {
  /** Name of the new backup: the time at which it was taken, `2026-11-23T07-28-05Z`. */
  readonly name: string
  readonly takenAt: number
  readonly accounts: number
  readonly messages: number
  readonly queued: number
  /** Of everything that belongs to this backup. */
  readonly octets: number
  /** Of that, what had to be written now. */
  readonly octetsWritten: number
  readonly segments: number
  readonly segmentsWritten: number
  readonly largeBodies: number
  readonly largeBodiesWritten: number
  /** Older backups that were removed. */
  readonly removed: readonly string[]
  /** What the store lacks or could not be read: the backup holds everything else. */
  readonly missing: readonly string[]
  /** Milliseconds. */
  readonly tookMs: number
}

/** One of the backups in a folder. */
export interface BackupSummary {
  readonly name: string
  readonly takenAt: number
  readonly accounts: number
  readonly messages: number
  readonly octets: number
  /** Why it cannot be used; null when it can. */
  readonly broken: string | null
}

export interface RestoreReport {
  readonly name: string
  readonly takenAt: number
  readonly accounts: number
  readonly messages: number
  readonly queued: number
  readonly octets: number
  /** Files that are not as the backup wrote them; everything else is there. */
  readonly damaged: readonly string[]
}

export interface AccountRestoreRequest {
  readonly folder: string
  /** Which backup, as the person wrote it; null: the newest. */
  readonly at: string | null
  readonly address: string
  /** The account that gets the messages; null: the same. */
  readonly as: string | null
  /** A mailbox that gets all of it; null: each message goes where it was. */
  readonly under: string | null
}

export interface AccountRestoreReport {
  readonly name: string
  readonly takenAt: number
  readonly address: string
  /** The account was not there and was made. */
  readonly accountMade: boolean
  readonly mailboxesMade: readonly string[]
  readonly added: number
  /** Messages that were there already. */
  readonly present: number
  /** What could not be put back, and why; the first hundred. */
  readonly failed: readonly string[]
  readonly failedCount: number
}

/** Something that is not as it should be. */
export interface Problem {
  /** For programs, kebab-case. */
  readonly kind: string
  /** A sentence. */
  readonly text: string
  /** Whose it is; null: nobody's, or not known. */
  readonly account: string | null
  readonly mailbox: string | null
  readonly uid: number | null
}

export interface VerifyReport {
  /** The first thousand. */
  readonly problems: readonly Problem[]
  /** All of them, by kind. */
  readonly counts: Readonly<Record<string, number>>
  /** What is no damage but may be good to know. */
  readonly notes: readonly string[]
  readonly accounts: number
  readonly messages: number
  readonly bodies: number
  /** Of bodies that were read and hashed. */
  readonly octets: number
  readonly tookMs: number
}

/** What a backup asks of the store that it copies. */
export interface FileHolder {
  /**
   * While it is held, no file of bodies that has been sealed is removed or rewritten.
   *
   * @returns Lets go.
   */
  holdFiles(): Promise<() => void>
}

export { backUp } from './sqlite/backup/back-up.ts'
export { listBackups } from './sqlite/backup/manifest.ts'
export { restoreAccount } from './sqlite/backup/restore-account.ts'
export { verifyBackup, verifyStore } from './sqlite/verify/verify-store.ts'
