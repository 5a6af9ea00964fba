/** One thing asked of the texts of a message. Text is compared as `foldText` of message/fold-text.ts folds it. */
export type SearchCriterion =
  /** `body`: the texts below the header, attachments' names among them; `text`: the header too. '' is in every message. */
  | { readonly field: 'text' | 'body'; readonly needle: string }
  /**
   * A header field of that name holds the text; '' asks only for the field. Of SUBJECT, FROM, TO, CC and BCC it is the
   * text that ENVELOPE shows, RFC 3501 §6.4.4.
   */
  | { readonly field: 'header'; readonly name: string; readonly needle: string }
  /** The day in its Date field is in [from, before): midnights UTC, milliseconds since 1970. */
  | { readonly field: 'sent'; readonly from: number; readonly before: number }

export interface SearchRequest {
  /** Those that may match, at most 10 million, in any order. Of those that are gone some may be found for a time. */
  readonly emailIds: Float64Array
  /** All of them must hold. */
  readonly criteria: readonly SearchCriterion[]
  /** Stops the search; it rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Called now and then while messages are looked into. */
  readonly progress?: (lookedInto: number, total: number) => void
  /** Looks into every message and asks no index: for tests, and for measuring. */
  readonly plain?: boolean
}

/** What is known of the index at any time, without asking its thread. */
export interface IndexState {
  /** That have searched of late: it follows their mail. */
  readonly accounts: number
  /** Messages of theirs, or of everybody's, that are still to be indexed. */
  readonly behind: number
}

/** How the index stands. */
export interface SearchStatus {
  readonly messages: number
  /** That have searched. */
  readonly accounts: number
  /** Still to be indexed; they are looked into when somebody searches. */
  readonly waiting: number
  /** How long the oldest of those has waited; 0 when there is none. Up to the times of search/pace.ts it is on purpose. */
  readonly lagMs: number
  /** The longest that any has waited since the store was opened. */
  readonly longestLagMs: number
  /** Of the index's file. */
  readonly octets: number
  readonly words: number
  /** Of the list of words in memory. */
  readonly wordOctets: number
  /** Messages with more text than is indexed, or that could not be read. */
  readonly partial: number
}

/** Searches the texts of messages, on a thread of its own. */
export interface TextSearch {
  /**
   * The answer is complete whatever the state of the index: what is not indexed is read.
   *
   * @returns Places in `emailIds` of those that match, ascending.
   * @throws {LimitReached} A needle is too long, or there are too many criteria or searches.
   * @throws {StoreUnavailable} The store was closed.
   */
  search(accountId: number, request: SearchRequest): Promise<Uint32Array>
  searchStatus(): Promise<SearchStatus>
  readonly indexState: IndexState
}
