/** What must be in the store, and what may be, after the marks up to some point. */
import type { Answer, Mark, Spot, Wish } from './marks.ts'

export interface Kept {
  readonly letter: number
  flags: number
  /** How many answers stand for it: each is one check. */
  acks: number
  /** Asked for, not answered. */
  pending: Wish | null
}

export class Ledger {
  readonly spots = new Map<string, Kept & { readonly spot: Spot }>()
  /** Moved or expunged from there. */
  readonly gone = new Map<string, number>()
  readonly queue = new Map<
    number,
    { state: 'waiting' | 'tried' | 'gone'; letter: number; pending: Wish | null }
  >()
  /** `account/name` to number. */
  readonly boxes = new Map<string, number>()
  /** Unanswered, and what each is. */
  readonly open = new Map<string, Wish>()
  readonly refused = new Set<number>()
  readonly uids = new Map<string, { highest: number; uidValidity: number }>()
  readonly modseqs = new Map<number, number>()

  add(mark: Mark): void {
    if (mark.kind === 'try') {
      this.open.set(mark.id, mark.wish)
      this.#pend(mark.wish, mark.wish)
      return
    }
    const wish = this.open.get(mark.id)!
    this.open.delete(mark.id)
    this.#pend(wish, null)
    if (mark.kind === 'ack') this.#answered(wish, mark.answer)
    else if (wish.op === 'accept') this.refused.add(wish.letter)
  }

  #pend(wish: Wish, pending: Wish | null): void {
    if ('spot' in wish) {
      const kept = this.spots.get(keyOf(wish.spot))
      if (kept !== undefined) kept.pending = pending
    }
    const queueId = wish.op === 'settle' ? wish.queueId : wish.op === 'accept' ? wish.settles : null
    const row = queueId === null ? undefined : this.queue.get(queueId)
    if (row !== undefined) row.pending = pending
  }

  #answered(wish: Wish, answer: Answer): void {
    for (const spot of answer.spots ?? []) this.#seen(spot, spot.uidValidity, spot.modseq ?? 0)
    if (wish.op === 'flags') this.#seen(wish.spot, 0, answer.modseq!)
    if (wish.op === 'accept') {
      for (const spot of answer.spots!) this.#put(spot, wish.letter, 0, 1)
      if (answer.queueId != null)
        this.queue.set(answer.queueId, { state: 'waiting', letter: wish.letter, pending: null })
      if (wish.settles !== null) this.queue.get(wish.settles)!.state = 'gone'
    } else if (wish.op === 'settle') {
      this.queue.get(wish.queueId)!.state = wish.done ? 'gone' : 'tried'
    } else if (wish.op === 'create') {
      this.boxes.set(`${wish.account}/${wish.name}`, answer.mailbox!)
    } else {
      this.#changed(wish, answer)
    }
  }

  #changed(wish: Extract<Wish, { spot: Spot }>, answer: Answer): void {
    const kept = this.spots.get(keyOf(wish.spot))!
    if (wish.op === 'flags') {
      kept.flags = wish.flags
      kept.acks++
      return
    }
    const to = answer.spots?.[0]
    if (to !== undefined) this.#put(to, kept.letter, kept.flags, kept.acks + 1)
    if (wish.op === 'copy') return
    this.spots.delete(keyOf(wish.spot))
    this.gone.set(keyOf(wish.spot), kept.letter)
  }

  #put({ account, mailbox, uid }: Spot, letter: number, flags: number, acks: number): void {
    const spot = { account, mailbox, uid }
    this.spots.set(keyOf(spot), { spot, letter, flags, acks, pending: null })
  }

  #seen({ account, mailbox, uid }: Spot, uidValidity: number, modseq: number): void {
    const before = this.uids.get(`${account}:${mailbox}`)
    this.uids.set(`${account}:${mailbox}`, {
      highest: Math.max(uid, before?.highest ?? 0),
      uidValidity: uidValidity || before!.uidValidity,
    })
    this.modseqs.set(account, Math.max(modseq, this.modseqs.get(account) ?? 0))
  }
}

export function keyOf({ account, mailbox, uid }: Spot): string {
  return `${account}:${mailbox}:${uid}`
}
