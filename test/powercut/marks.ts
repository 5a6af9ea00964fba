/**
 * What the process under test says of itself, in the order of its changes to the disk: `try` before it asks the store for
 * something, `ack` when the store has answered. One JSON object a line.
 */

/** Where a message is. */
export interface Spot {
  readonly account: number
  readonly mailbox: number
  readonly uid: number
}

export type Wish =
  /** `settles`: a queue row that the same transaction ends. */
  | {
      readonly op: 'accept'
      readonly letter: number
      readonly accounts: number[]
      readonly queue: boolean
      readonly settles: number | null
    }
  | { readonly op: 'flags'; readonly spot: Spot; readonly flags: number }
  | { readonly op: 'move' | 'copy'; readonly spot: Spot; readonly target: number }
  | { readonly op: 'expunge'; readonly spot: Spot }
  | { readonly op: 'settle'; readonly queueId: number; readonly done: boolean }
  | { readonly op: 'create'; readonly account: number; readonly name: string }

export interface Answer {
  /** Of accept: what was filed, in the order of `accounts`; of copy and move: the new one. */
  readonly spots?: readonly (Spot & { readonly uidValidity: number; readonly modseq?: number })[]
  readonly modseq?: number
  readonly queueId?: number | null
  readonly mailbox?: number
}

export type Mark =
  | { readonly kind: 'try'; readonly id: string; readonly wish: Wish }
  | { readonly kind: 'ack'; readonly id: string; readonly answer: Answer }
  /** The store refused; it may have happened only if the disk failed and the power was cut before the next commit. */
  | { readonly kind: 'refused'; readonly id: string }
