/**
 * Runs under test/powercut/shim.c. A store is made, takes letters, flags, moves and expunges them, is closed, opened
 * again with a torn segment, takes more and is closed; each time another of its calls to the system fails. Afterwards
 * all that was answered must be there, and everything that came after the failure must have worked.
 *
 * Arguments: folder, file of the orders, name of the error, `half` or `whole`, how many fail one after another, the first
 * n, the step to the next. Prints what it found as JSON.
 */
import { appendFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { StoreUnavailable } from '../../src/store/errors.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { checkImage } from '../powercut/check-image.ts'
import { Ledger } from '../powercut/ledger.ts'
import { letterOf } from '../powercut/letter.ts'
import type { Answer, Spot, Wish } from '../powercut/marks.ts'
import { changing, errno, Orders } from '../powercut/shim.ts'
import { filing, itemOf, queueEntry } from './letters.ts'

const [top, ordersFile, errorName, how] = process.argv.slice(2, 6) as [
  string,
  string,
  keyof typeof errno,
  string,
]
const [times, firstN, stepN] = process.argv.slice(6, 9).map(Number) as [number, number, number]
const orders = new Orders(ordersFile)
const problems: string[] = []
let checks = 0
let cases = 0

const disk = { module: new URL('./plain-disk.ts', import.meta.url).href, data: null }

/** One run in which the n-th call fails. */
class Run {
  readonly ledger = new Ledger()
  readonly #folder: string
  readonly #n: number
  #store!: Store
  #steps = 0
  readonly #refusals: string[] = []
  #account = 0
  /** A sync of the tables failed: the process would end, and be started again. */
  #ended = false

  constructor(folder: string, n: number) {
    this.#folder = folder
    this.#n = n
  }

  /** @returns Whether a call failed; if not, there are no more than n. */
  async go(): Promise<boolean> {
    orders.fail({ mask: changing, error: errno[errorName], after: this.#n - 1, times, half: how === 'half' })
    await this.#open()
    const spots: (Spot | null)[] = []
    for (let letter = 1; letter <= 4; letter++) spots.push(await this.#accept(letter))
    await this.#change(spots)
    spots.push(await this.#accept(67))
    await this.#store.close()
    this.#tear()
    await this.#open()
    for (let letter = 5; letter <= 7; letter++) await this.#accept(letter)
    await this.#store.close()
    const { failed } = orders.counts()
    orders.none()
    const verdict = await checkImage(this.#folder, this.ledger)
    checks += verdict.checks
    for (const text of verdict.losses) this.#complain(text)
    // A call that failed may cost one answer, or one start; what comes next has to work again.
    if (this.#refusals.length > failed)
      this.#complain(`${failed} failures, but refused: ${this.#refusals.join()}`)
    return failed > 0
  }

  async #open(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        const options = {
          ...{ folder: this.#folder, limits: { ...defaultLimits, diskReserveOctets: 0 } },
          surroundings: { clock: systemClock, random: systemRandom, log: silentLog },
          onFailure: (error: Error) => {
            if (!/a sync of the tables failed/.test(error.message))
              this.#complain(`the writer died: ${error.stack}`)
            this.#ended = true
          },
        }
        // In every other run batches share commits.
        this.#store = await openStore(options, this.#n % 2 === 0 ? disk : { ...disk, busyCalls: 0 })
        if ((await this.#store.listAccounts()).length === 0) await this.#populate()
        this.#account = (await this.#store.listAccounts())[0]!.accountId
        return
      } catch (error) {
        await this.#store?.close()
        this.#ended = false
        if (attempt < times) continue
        this.#complain(`it does not open: ${error instanceof Error ? error.stack : error}`)
        throw error
      }
    }
  }

  async #reopen(): Promise<void> {
    await this.#store.close()
    this.#ended = false
    await this.#open()
  }

  async #populate(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        if ((await this.#store.listDomains()).length === 0) await this.#store.addDomain('hamburger.example')
        await this.#store.addAccount('a0@hamburger.example', null)
        return
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || attempt >= times) throw error
        if (this.#ended) throw error
      }
    }
  }

  async #ask<Value>(wish: Wish, work: () => Promise<Value>, tell: (value: Value) => Answer): Promise<void> {
    if (this.#ended) await this.#reopen()
    const id = String(++this.#steps)
    this.ledger.add({ kind: 'try', id, wish })
    try {
      this.ledger.add({ kind: 'ack', id, answer: tell(await work()) })
    } catch (error) {
      // It stays open: what was refused because a sync failed may have happened after all.
      this.#refusals.push(`${wish.op}: ${error}`)
      if (!(error instanceof StoreUnavailable)) this.#complain(`${wish.op}: ${(error as Error).stack}`)
    }
  }

  async #accept(letter: number): Promise<Spot | null> {
    let spot: Spot | null = null
    const account = this.#account
    await this.#ask(
      { op: 'accept', letter, accounts: [account], queue: true, settles: null },
      async () => {
        const queue = [queueEntry(account)]
        const item = await itemOf(this.#store, letterOf(letter), [filing(account)], queue)
        const [result] = await this.#store.accept([item])
        if (result instanceof Error) throw result
        return result!
      },
      ({ filed, queueIds }) => {
        const { mailboxId: mailbox, uid, uidValidity, modseq } = filed[0]!
        spot = { account, mailbox, uid }
        return { spots: [{ ...spot, uidValidity, modseq }], queueId: queueIds[0]! }
      },
    )
    return spot
  }

  async #change([first, second, third]: (Spot | null)[]): Promise<void> {
    const account = this.#account
    const archive = (await this.#store.findMailbox(account, 'Archive'))!
    if (first != null) {
      const change = { op: 'set', flags: 5, keywords: [] } as const
      await this.#ask(
        { op: 'flags', spot: first, flags: 5 },
        () => this.#store.storeFlags(account, 1, [first.uid], change),
        ({ modseq }) => ({ modseq }),
      )
    }
    if (second != null) {
      const { mailboxId: target, uidValidity } = archive
      await this.#ask(
        { op: 'move', spot: second, target },
        () => this.#store.move(account, 1, [second.uid], target),
        ({ targetUids }) => ({ spots: [{ account, mailbox: target, uid: targetUids[0]!, uidValidity }] }),
      )
    }
    if (third != null) {
      await this.#ask(
        { op: 'expunge', spot: third },
        () => this.#store.expunge(account, 1, [third.uid]),
        () => ({}),
      )
    }
    const [queueId] = [...this.ledger.queue.keys()]
    if (queueId === undefined) return
    const recipients = [{ forwardPath: 'alice@crepes.example', state: 'delivered' as const, reply: '250' }]
    await this.#ask(
      { op: 'settle', queueId, done: true },
      () => this.#store.settle([{ accountId: account, queueId, recipients, nextAttemptAt: 0 }]),
      () => ({}),
    )
  }

  /** What a crash in the midst of a write leaves: the next letter begins another segment. */
  #tear(): void {
    const segments = join(this.#folder, 'shard-00/seg')
    for (const name of readdirSync(segments)) {
      const file = join(segments, name)
      // The failure may be this test's own.
      for (const before = statSync(file).size; statSync(file).size === before; ) {
        try {
          appendFileSync(file, 'PSTR torn')
        } catch {}
      }
    }
  }

  #complain(text: string): void {
    problems.push(`call ${this.#n}: ${text}`)
  }
}

// The thread of large bodies does not keep a process that has nothing else.
setInterval(() => {}, 1_000)

for (let n = firstN; ; n += stepN) {
  const folder = join(top, `n${n}`)
  cases++
  const failed = await new Run(folder, n).go().catch((error: Error) => {
    problems.push(`call ${n}: ${error.stack}`)
    return true
  })
  orders.none()
  rmSync(folder, { recursive: true, force: true })
  if (!failed || problems.length > 20) break
}
console.log(JSON.stringify({ cases, checks, problems }))
process.exit()
