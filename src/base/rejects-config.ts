/** `[rejects]`: copies of refused mail, for whom it was meant. */
export interface RejectsConfig {
  /** Null: none are kept. */
  readonly mailbox: string | null
  /** Of one account. */
  readonly messages: number
  readonly octets: number
  readonly ageMs: number
  /** A longer message is not kept. */
  readonly messageOctets: number
}

export const defaultRejects: RejectsConfig = {
  mailbox: null,
  messages: 1_000,
  octets: 50_000_000,
  ageMs: 30 * 86_400_000,
  messageOctets: 1_000_000,
}
