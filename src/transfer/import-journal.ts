/**
 * What an import has done so far, on the side of its command: so that the same command goes on after a crash, imports
 * nothing twice when it is given again, and can be undone.
 *
 * Before a batch is sent, the file says what is in it (`begin`, on the disk); when the answer has come, what became of it
 * (`end`). If the command or the server dies in between, the next run asks the server which messages of that batch are
 * there, and writes the `end` itself. Several batches may be under way. Lines are only ever added.
 */
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readLines } from './export-list.ts'
import type { DoneBefore } from './source.ts'

export interface JournalHead {
  readonly posthorn: 'import'
  readonly version: 1
  readonly address: string
  readonly source: string
  readonly into: string | null
}

export interface Skipped {
  readonly key: string
  readonly place: string
  readonly reason: string
  /** It was no message after all: nothing is missing. */
  readonly harmless: boolean
}

export interface Begin {
  readonly begin: number
  readonly unit: string
  readonly mailboxId: number
  readonly uidValidity: number
  /** UIDs of the batch are not below this. */
  readonly since: number
  readonly messages: readonly {
    readonly key: string
    readonly place: string
    readonly hash: string
    readonly octets: number
    readonly internalDate: number
  }[]
  readonly skipped: readonly Skipped[]
  /** An mbox: where the next message begins. */
  readonly until: number | null
  /** What stands before `until` in the file, as a hash. */
  readonly check: string | null
}

export interface FiledUids {
  readonly mailboxId: number
  readonly uidValidity: number
  readonly uids: readonly number[]
}

interface End {
  readonly end: number
  readonly filed: readonly FiledUids[]
  readonly refused: readonly Skipped[]
  /** Keys that are still to be imported; mostly none. */
  readonly missing: readonly string[]
}

type Line = JournalHead | Begin | End | { readonly created: string } | { readonly finished: number }

interface UnitState {
  /** All before this offset is done. */
  until: number
  check: string | null
  /** What is done behind `until`, or all of it where there is no order. */
  readonly keys: Set<string>
  /** Batches from `until` on, oldest first. */
  readonly batches: UnitBatch[]
}

interface UnitBatch {
  readonly begin: Begin
  readonly until: number
  ended: boolean
  /** Keys of messages that are not filed, as far as is known. */
  readonly missing: Set<string>
}

export class ImportJournal implements DoneBefore {
  readonly file: string
  readonly created: string[] = []
  readonly filed: FiledUids[] = []
  readonly skipped: Skipped[] = []
  readonly units = new Map<string, UnitState>()
  /** Batches of which nobody knows whether they were filed, by their number. */
  readonly pending = new Map<number, Begin>()
  filedMessages = 0
  #handle: FileHandle | null = null
  #last = 0
  #written: Promise<void> = Promise.resolve()
  #isNew = true

  private constructor(file: string) {
    this.file = file
  }

  /** @throws {Error} The state folder cannot be read. */
  static async open(file: string): Promise<ImportJournal> {
    const journal = new ImportJournal(file)
    const lines = (await readLines(file, 'continue')) as Line[] | null
    journal.#isNew = lines === null || lines.length === 0
    for (const line of lines ?? []) journal.#apply(line)
    return journal
  }

  /** Nothing was ever imported under this name. */
  get isNew(): boolean {
    return this.#isNew
  }

  until(unit: string): number {
    return this.units.get(unit)?.until ?? 0
  }

  has(unit: string, key: string): boolean {
    return this.units.get(unit)?.keys.has(key) ?? false
  }

  async start(head: JournalHead): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true, mode: 0o700 })
    this.#handle = await open(this.file, 'a', 0o600)
    if (this.#isNew) await this.#write(head)
    this.#isNew = false
  }

  /** Must be on the disk before the batch is sent. @returns Its number. */
  async begin(batch: Omit<Begin, 'begin'>): Promise<number> {
    const number = this.#last + 1
    await this.#write({ begin: number, ...batch })
    await this.#handle!.datasync()
    return number
  }

  async end(
    number: number,
    filed: readonly FiledUids[],
    refused: readonly Skipped[],
    missing: readonly string[] = [],
  ): Promise<void> {
    await this.#write({ end: number, filed, refused, missing })
  }

  async noteCreated(mailbox: string): Promise<void> {
    await this.#write({ created: mailbox })
  }

  async finish(nowMs: number): Promise<void> {
    await this.#write({ finished: nowMs })
    await this.#handle!.datasync()
  }

  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = null
  }

  async forget(): Promise<void> {
    await this.close()
    await rm(this.file, { force: true })
  }

  #write(line: Line): Promise<void> {
    this.#apply(line)
    this.#written = this.#written.then(() => this.#handle!.appendFile(`${JSON.stringify(line)}\n`))
    return this.#written
  }

  #apply(line: Line): void {
    if ('begin' in line) this.#applyBegin(line)
    else if ('end' in line) this.#applyEnd(line)
    else if ('created' in line) this.created.push(line.created)
  }

  #applyBegin(begin: Begin): void {
    this.pending.set(begin.begin, begin)
    this.#last = begin.begin
    const { until, messages } = begin
    if (until === null) return
    const missing = new Set(messages.map(({ key }) => key))
    this.#unit(begin.unit).batches.push({ begin, until, missing, ended: false })
  }

  #applyEnd(end: End): void {
    // One that was superseded may have written its last end beside ours.
    const begin = this.pending.get(end.end)
    if (begin === undefined) return
    this.pending.delete(end.end)
    const state = this.#unit(begin.unit)
    const missing = new Set(end.missing)
    for (const { key } of [...begin.messages, ...begin.skipped]) {
      if (missing.has(key)) continue
      state.keys.add(key)
      // It may be one that an earlier batch lacked.
      for (const batch of state.batches) batch.missing.delete(key)
    }
    for (const batch of state.batches) if (batch.begin === begin) batch.ended = true
    this.#advance(state)
    this.skipped.push(...begin.skipped, ...end.refused)
    this.filed.push(...end.filed)
    for (const { uids } of end.filed) this.filedMessages += uids.length
  }

  /** What is done without a gap needs no keys any more. */
  #advance(state: UnitState): void {
    for (let first = state.batches[0]; first?.ended && first.missing.size === 0; first = state.batches[0]) {
      state.batches.shift()
      for (const { key } of [...first.begin.messages, ...first.begin.skipped]) state.keys.delete(key)
      if (first.until < state.until) continue
      state.until = first.until
      state.check = first.begin.check
    }
  }

  #unit(unit: string): UnitState {
    const found = this.units.get(unit)
    if (found !== undefined) return found
    const fresh = { until: 0, check: null, keys: new Set<string>(), batches: [] }
    this.units.set(unit, fresh)
    return fresh
  }
}
