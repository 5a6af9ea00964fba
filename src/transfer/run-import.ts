/**
 * An import from its command's side: reads the source, sends batches, keeps the journal.
 *
 * While batches are with the server the next one is read; there are few of them, so memory holds little whatever the
 * source's size. What cannot be imported is noted and passed over.
 */
import { createHash } from 'node:crypto'
import type { FiledUids, ImportJournal, Skipped } from './import-journal.ts'
import type { ProgressMeter } from './progress.ts'
import {
  BadSource,
  type Source,
  type SourceFacts,
  type SourceItem,
  type SourceMessage,
  Unreadable,
} from './source.ts'
import type { BatchMessage, FiledMessage, OpenedImport, TargetMailbox } from './wire.ts'
import { encodeBatch, requestMessages, requestOctets, shortHash } from './wire.ts'
import { flagBits } from '../store/store.ts'

/** Batches that wait for an answer: one is filed while the next is looked at. */
const batchesInFlight = 2

/** The admin API of the server that is meant. */
export interface TransferDoor {
  call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>
}

export interface ImportOptions {
  readonly door: TransferDoor
  readonly source: Source
  readonly opened: OpenedImport
  /** Null: only look. */
  readonly journal: ImportJournal | null
  /** A mailbox that the source's INBOX is, and the others are under; null: as they are called. */
  readonly into: string | null
  /** Marks everything as read. */
  readonly seen: boolean
  readonly meter: ProgressMeter
  /** Called after each message. */
  onStep(): void
  onSkipped(skipped: Skipped): void
}

export interface ImportResult {
  readonly filed: number
  readonly octets: number
  /** Messages of this run by mailbox. */
  readonly mailboxes: Readonly<Record<string, number>>
}

interface Message extends BatchMessage {
  readonly key: string
  readonly hash: string
  readonly chunks: readonly Uint8Array[]
}

interface Batch {
  messages: Message[]
  skipped: Skipped[]
  octets: number
  until: number | null
  /** The one message is with the server in pieces. */
  staged: boolean
}

export class ImportRun {
  readonly #options: ImportOptions
  readonly #path: string
  readonly #counts: Record<string, number> = {}
  #unit = ''
  #mailbox = ''
  #target: TargetMailbox | null = null
  #since = 0
  #batch: Batch = emptyBatch()
  readonly #inFlight: Promise<void>[] = []
  #octets = 0
  #sequence = 0
  #begun: Promise<unknown> = Promise.resolve()

  constructor(options: ImportOptions) {
    this.#options = options
    this.#path = `/v1/imports/${options.opened.importId}`
  }

  async run(): Promise<ImportResult> {
    const { source, journal } = this.#options
    if (journal !== null) await recover(this.#options.door, this.#path, journal)
    await this.#checkSource()
    try {
      for await (const item of source.items(journal ?? nothingBefore)) await this.#take(item)
    } finally {
      // Whatever went wrong while reading, the answer that is under way belongs into the journal.
      await Promise.allSettled(this.#inFlight)
    }
    await this.#settle()
    const filed = Object.values(this.#counts).reduce((sum, count) => sum + count, 0)
    return { filed, octets: this.#octets, mailboxes: this.#counts }
  }

  /** An mbox that was changed in its middle has other messages at the old offsets. */
  async #checkSource(): Promise<void> {
    const { source, journal } = this.#options
    for (const [unit, { until, check }] of journal?.units ?? []) {
      if (check === null || (await source.check(unit, until)) === check) continue
      throw new BadSource(
        `${unit} was changed since its first ${journal!.filedMessages} messages were imported`,
        'To take the first import back: --undo. To import all of it again: --again.',
      )
    }
  }

  async #take(item: SourceItem): Promise<void> {
    if (item.kind === 'unit') return this.#enter(item.unit, item.mailbox)
    if (item.kind === 'damaged') {
      const { key, place, reason, done, end } = item
      this.#skip({ key, place, reason, harmless: false }, done, end)
      return
    }
    const { message } = item
    const { key, place } = message
    try {
      await this.#read(message)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      const { done, end } = message.facts()
      this.#skip({ key, place, reason: error.message, harmless: false }, done, end)
    }
    this.#options.onStep()
  }

  async #enter(unit: string, mailbox: string): Promise<void> {
    const { into, journal, door } = this.#options
    await this.#settle()
    this.#unit = unit
    this.#mailbox = into === null ? mailbox : mailbox === 'INBOX' ? into : `${into}/${mailbox}`
    this.#counts[this.#mailbox] ??= 0
    if (journal === null) return
    const target = await door.call<TargetMailbox>('POST', `${this.#path}/mailboxes`, { name: this.#mailbox })
    if (target.created) {
      for (const name of withParents(this.#mailbox)) {
        if (!this.#options.opened.mailboxes.includes(name)) await journal.noteCreated(name)
      }
    }
    this.#target = target
    this.#since = target.uidNext
  }

  async #read(message: SourceMessage): Promise<void> {
    const { messageOctets } = this.#options.opened
    const { key, place } = message
    const sha = createHash('sha256')
    const chunks: Uint8Array[] = []
    let octets = 0
    let pieces: Pieces | null = null
    for await (const chunk of message.read()) {
      octets += chunk.length
      if (octets > messageOctets) continue
      sha.update(chunk)
      if (pieces === null && octets > requestOctets) {
        // The server holds one such message at a time, and its batch comes after all before it.
        await this.#settle()
        pieces = new Pieces(this.#options.journal === null ? null : this.#options.door, this.#path)
        for (const kept of chunks.splice(0)) await pieces.send(kept)
      }
      if (pieces === null) chunks.push(chunk)
      else await pieces.send(chunk)
    }
    const facts = message.facts()
    const reason = reasonToSkip(facts, octets, messageOctets)
    if (reason !== null) {
      this.#skip({ key, place, reason, harmless: facts.noMessage !== null }, facts.done, facts.end)
      return
    }
    await pieces?.finish()
    await this.#add(
      { ...this.#messageOf(message, facts, octets), chunks, hash: shortHash(sha.digest()) },
      facts,
      pieces !== null,
    )
  }

  #messageOf(
    { key, place }: SourceMessage,
    facts: SourceFacts,
    octets: number,
  ): BatchMessage & { key: string } {
    const flags = facts.flags | (this.#options.seen ? flagBits['\\Seen'] : 0)
    const internalDate = facts.internalDate ?? Date.now()
    return { key, place, octets, flags, keywords: facts.keywords, internalDate }
  }

  async #add(message: Message, facts: SourceFacts, staged: boolean): Promise<void> {
    if (this.#batch.octets + message.octets > requestOctets) await this.#flush()
    const batch = this.#batch
    batch.messages.push(message)
    batch.octets += message.octets
    batch.until = facts.end
    batch.staged = staged
    this.#options.meter.step(message.octets, facts.done)
    if (staged || batch.messages.length >= requestMessages) await this.#flush()
  }

  #skip(skipped: Skipped, done: number, end: number | null): void {
    this.#batch.skipped.push(skipped)
    this.#batch.until = end
    this.#options.meter.pass(done)
    this.#options.onSkipped(skipped)
  }

  /** Sends what was gathered, once there is room on the way. */
  async #flush(): Promise<void> {
    const batch = this.#batch
    if (batch.messages.length + batch.skipped.length === 0) return
    this.#batch = emptyBatch()
    if (this.#inFlight.length >= batchesInFlight) await this.#inFlight.shift()
    const sent = this.#send(batch)
    this.#inFlight.push(sent)
    // Whoever waits for it hears of its failure; until then it is nobody's.
    sent.catch(() => {})
  }

  /** Sends what was gathered and waits for all answers. */
  async #settle(): Promise<void> {
    await this.#flush()
    while (this.#inFlight.length > 0) await this.#inFlight.shift()
  }

  async #send(batch: Batch): Promise<void> {
    const { journal, door } = this.#options
    const { messages, staged } = batch
    if (journal === null) return this.#count(messages)
    const { mailboxId } = this.#target!
    // One after the other: the order of the journal is that of the source, and of the UIDs.
    const begun = this.#begun.then(() => this.#begin(journal, batch))
    this.#begun = begun
    const { number, sequence } = await begun
    if (messages.length === 0) return journal.end(number, [], [])
    const told = messages.map(({ octets, flags, keywords, internalDate, place }) => ({
      ...{ octets, flags, keywords, internalDate, place },
    }))
    const body = encodeBatch(
      { sequence, mailboxId, staged, messages: told },
      staged ? [] : messages.flatMap(({ chunks }) => chunks),
    )
    const { filed } = await door.call<{ filed: FiledMessage[] }>('POST', `${this.#path}/messages`, body)
    const refused = messages.flatMap(({ key, place }, index) => {
      const answer = filed[index]!
      return 'refused' in answer ? [{ key, place, reason: answer.refused, harmless: false }] : []
    })
    await journal.end(number, gatherUids(filed), refused)
    for (const one of refused) this.#options.onSkipped(one)
    for (const one of filed) if ('uid' in one) this.#since = Math.max(this.#since, one.uid + 1)
    this.#count(messages.filter((_, index) => 'uid' in filed[index]!))
  }

  async #begin(journal: ImportJournal, batch: Batch): Promise<{ number: number; sequence: number }> {
    const { messages, skipped, until } = batch
    const { mailboxId, uidValidity } = this.#target!
    const check = until === null ? null : await this.#options.source.check(this.#unit, until)
    const sought = messages.map(({ key, place, hash, octets, internalDate }) => ({
      ...{ key, place, hash, octets, internalDate },
    }))
    const number = await journal.begin({
      ...{ unit: this.#unit, mailboxId, uidValidity, since: this.#since },
      ...{ messages: sought, skipped, until, check },
    })
    return { number, sequence: messages.length === 0 ? 0 : ++this.#sequence }
  }

  #count(messages: readonly Message[]): void {
    this.#counts[this.#mailbox] = (this.#counts[this.#mailbox] ?? 0) + messages.length
    for (const { octets } of messages) this.#octets += octets
  }
}

/** Finds out what became of the batches that were under way when an earlier run ended. */
export async function recover(door: TransferDoor, path: string, journal: ImportJournal): Promise<void> {
  const pending = [...journal.pending.values()]
  // Of one mailbox each time, and asked for together: two that are equal have to be found as two.
  for (const mailboxId of new Set(pending.map((begin) => begin.mailboxId))) {
    const begins = pending.filter((begin) => begin.mailboxId === mailboxId)
    const messages = begins.flatMap((begin) => begin.messages)
    const since = Math.min(...begins.map((begin) => begin.since))
    // A batch is begun before the one before it has its UIDs, and may hold messages equal to its.
    const except = journal.filed
      .filter((one) => one.mailboxId === mailboxId)
      .flatMap(({ uids }) => uids.filter((uid) => uid >= since))
    const asked = messages.map(({ hash, octets, internalDate }) => ({ hash, octets, internalDate }))
    const { uids } = await door.call<{ uids: (number | null)[] }>('POST', `${path}/find`, {
      ...{ mailboxId, since, except, messages: asked },
    })
    for (const { begin, messages: own, uidValidity } of begins) {
      const answers = uids.splice(0, own.length)
      const found = answers.flatMap((uid) => (uid === null ? [] : [{ uid, mailboxId, uidValidity }]))
      const missing = own.flatMap(({ key }, index) => (answers[index] == null ? [key] : []))
      await journal.end(begin, gatherUids(found), [], missing)
    }
  }
}

function reasonToSkip(facts: SourceFacts, octets: number, messageOctets: number): string | null {
  if (facts.noMessage !== null) return facts.noMessage
  if (octets === 0) return 'it is empty'
  if (octets > messageOctets) return `its ${octets} octets are over the limit of ${messageOctets}`
  return null
}

function gatherUids(filed: readonly FiledMessage[]): FiledUids[] {
  const groups = new Map<string, FiledUids & { uids: number[] }>()
  for (const one of filed) {
    if ('refused' in one) continue
    const { uid, mailboxId, uidValidity } = one
    const group = groups.get(`${mailboxId}`) ?? { mailboxId, uidValidity, uids: [] }
    groups.set(`${mailboxId}`, group)
    group.uids.push(uid)
  }
  return [...groups.values()]
}

/** A message that is too long for a batch, on its way in requests of the usual size. */
class Pieces {
  readonly #door: TransferDoor | null
  readonly #path: string
  #chunks: Uint8Array[] = []
  #octets = 0
  #isFirst = true

  constructor(door: TransferDoor | null, path: string) {
    this.#door = door
    this.#path = path
  }

  async send(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += requestOctets) {
      const part = chunk.subarray(at, at + requestOctets)
      if (this.#octets + part.length > requestOctets) await this.finish()
      this.#chunks.push(part)
      this.#octets += part.length
    }
  }

  async finish(): Promise<void> {
    if (this.#octets > 0 && this.#door !== null) {
      const text = Buffer.concat(this.#chunks).toString('latin1')
      await this.#door.call('POST', `${this.#path}/pieces?first=${this.#isFirst ? 1 : 0}`, text)
      this.#isFirst = false
    }
    this.#chunks = []
    this.#octets = 0
  }
}

function withParents(mailbox: string): string[] {
  const steps = mailbox.split('/')
  return steps.map((_, index) => steps.slice(0, index + 1).join('/'))
}

const nothingBefore = { until: () => 0, has: () => false }

function emptyBatch(): Batch {
  return { messages: [], skipped: [], octets: 0, until: null, staged: false }
}
