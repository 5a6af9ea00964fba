/** The outgoing queue as the rest of the program sees it. */
export interface OutgoingQueue {
  /** Takes up what is due, and what becomes due, until `stop`. */
  start(): void
  /** Takes nothing new; resolves when the attempts under way have ended, or after the grace with force. */
  stop(graceMs: number): Promise<void>
  /** Between `start` and `stop`, while the store gives it what is due; for ever where it has nothing to do. */
  readonly runs: boolean
  /** Attempts under way. */
  readonly active: number
}
