/**
 * Notes in memory, by kind, loaded at the start and written behind: what changed within a second goes to the thread of the
 * journeys in one batch, each note once however often it changed. A crash loses what was not written yet, and no mail.
 */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Json } from '../../journey/event.ts'
import type { Note, Notes } from '../notes.ts'
import type { PackedNote } from './note-base.ts'

/** Where notes are kept. */
export interface NoteDisk {
  loadNotes(after: number, limit: number): Promise<readonly PackedNote[]>
  writeNotes(notes: readonly PackedNote[]): Promise<void>
}

export interface NotesOptions {
  readonly disk: NoteDisk
  readonly limits: Pick<Limits, 'notesPerKind'>
  readonly clock: Clock
  readonly log: Log
}

const gatherMs = 1_000
/** Notes that are packed in one turn: a third of a millisecond. */
const writtenAtOnce = 500
const loadedAtOnce = 2_000
const keyOctets = 512

/** A disk that cannot be read now (a full one, for one) is asked again before the first is written; mail does not wait for it. */
export async function openNotes(options: NotesOptions): Promise<Notes> {
  const notes = new WrittenNotes(options)
  await notes.load().catch((error: unknown) => {
    options.log.error('notes cannot be read; until they can, guards know nothing of before', { error })
  })
  return notes
}

interface KeptNote extends Note {
  readonly written: number
  /** The disk may know it; one that came and went between two writings never gets there. */
  stored: boolean
}

type Kinds = Map<string, Map<string, KeptNote>>

function kindOf(kinds: Kinds, kind: string): Map<string, KeptNote> {
  let notes = kinds.get(kind)
  if (notes === undefined) kinds.set(kind, (notes = new Map()))
  return notes
}

class WrittenNotes implements Notes {
  readonly #options: NotesOptions
  #kinds: Kinds = new Map()
  /** Kind and key of what the disk does not know yet. */
  #dirty = new Map<string, readonly [kind: string, key: string]>()
  #written = 0
  #loaded = false
  #cancelWrite: (() => void) | null = null
  #writing: Promise<void> | null = null
  #closed = false

  constructor(options: NotesOptions) {
    this.#options = options
  }

  /** @throws {Error} The disk cannot be read. */
  async load(): Promise<void> {
    const { disk, clock } = this.#options
    const found: Kinds = new Map()
    for (let last = 0; ; ) {
      const page = await disk.loadNotes(last, loadedAtOnce)
      const now = clock.now()
      for (const [kind, key, value, expiresAt, written] of page) {
        last = written
        if (value === null || expiresAt <= now) continue
        kindOf(found, kind).set(key, { value: JSON.parse(value) as Json, expiresAt, written, stored: true })
      }
      if (page.length < loadedAtOnce) return this.#take(found, last)
      await nextTurn()
    }
  }

  /** What changed while the disk could not be read is newer than all that is on it. */
  #take(found: Kinds, last: number): void {
    for (const [kind, key] of this.#dirty.values()) found.get(kind)?.delete(key)
    for (const [kind, notes] of this.#kinds)
      for (const [key, note] of notes)
        kindOf(found, kind).set(key, { ...note, written: note.written + last, stored: true })
    this.#kinds = found
    this.#written += last
    this.#loaded = true
  }

  get(kind: string, key: string): Note | null {
    const kept = shortKey(key)
    const note = this.#kinds.get(kind)?.get(kept)
    if (note === undefined) return null
    if (note.expiresAt > this.#options.clock.now()) return note
    this.#remove(kind, kept)
    return null
  }

  put(kind: string, key: string, value: Json, expiresAt: number): void {
    if (this.#closed) return
    const kept = shortKey(key)
    const notes = this.#kind(kind)
    const stored = notes.get(kept)?.stored ?? this.#dirty.has(placeOf(kind, kept))
    notes.delete(kept)
    notes.set(kept, { value, expiresAt, written: ++this.#written, stored })
    this.#touch(kind, kept)
    this.#makeRoom(kind, notes)
  }

  delete(kind: string, key: string): void {
    if (this.#closed) return
    const kept = shortKey(key)
    this.#remove(kind, kept)
    // The disk may know it, for all we know.
    if (!this.#loaded) this.#dirty.set(placeOf(kind, kept), [kind, kept])
  }

  *list(kind: string): Iterable<readonly [key: string, note: Note]> {
    const now = this.#options.clock.now()
    for (const entry of this.#kinds.get(kind) ?? []) if (entry[1].expiresAt > now) yield entry
  }

  async flush(): Promise<void> {
    this.#cancelWrite?.()
    this.#cancelWrite = null
    while (this.#writing !== null || this.#dirty.size > 0) await (this.#writing ?? this.#write())
  }

  /** Changes that wait for the disk. */
  get waiting(): number {
    return this.#dirty.size
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.flush().catch(() => {})
  }

  #kind(kind: string): Map<string, KeptNote> {
    return kindOf(this.#kinds, kind)
  }

  #remove(kind: string, key: string): void {
    const note = this.#kinds.get(kind)?.get(key)
    if (note === undefined) return
    this.#kinds.get(kind)?.delete(key)
    if (note.stored) this.#touch(kind, key)
    else this.#dirty.delete(placeOf(kind, key))
  }

  /** The oldest goes when there are too many; those that are over go as they come to be the oldest, two for each new one. */
  #makeRoom(kind: string, notes: Map<string, KeptNote>): void {
    const now = this.#options.clock.now()
    let looked = 0
    for (const [key, note] of notes) {
      const full = notes.size > this.#options.limits.notesPerKind
      if (!full && (looked++ >= 2 || note.expiresAt > now)) return
      this.#remove(kind, key)
    }
  }

  #touch(kind: string, key: string): void {
    this.#dirty.set(placeOf(kind, key), [kind, key])
    if (this.#cancelWrite !== null || this.#writing !== null) return
    this.#writeLater()
  }

  #writeLater(): void {
    this.#cancelWrite = this.#options.clock.after(gatherMs, () => {
      this.#cancelWrite = null
      void this.#write().catch(() => {})
    })
  }

  #write(): Promise<void> {
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = null
      if (this.#dirty.size > 0 && !this.#closed) this.#writeLater()
    })
    return this.#writing
  }

  /** What changes meanwhile waits for the next time. A batch that the disk refuses is tried again with it. */
  async #writeAll(): Promise<void> {
    if (!this.#loaded) await this.load()
    const dirty = this.#dirty
    this.#dirty = new Map()
    let batch: [string, readonly [string, string]][] = []
    try {
      for (const entry of dirty) {
        batch.push(entry)
        if (batch.length < writtenAtOnce) continue
        await this.#options.disk.writeNotes(batch.map(([, place]) => this.#pack(place)))
        for (const [place] of batch) dirty.delete(place)
        batch = []
      }
      await this.#options.disk.writeNotes(batch.map(([, place]) => this.#pack(place)))
    } catch (error) {
      this.#options.log.error('notes cannot be written', { error })
      for (const [place, names] of dirty) this.#dirty.set(place, names)
      throw error
    }
  }

  #pack([kind, key]: readonly [string, string]): PackedNote {
    const note = this.#kinds.get(kind)?.get(key)
    if (note === undefined) return [kind, key, null, 0, 0]
    note.stored = true
    return [kind, key, JSON.stringify(note.value), note.expiresAt, note.written]
  }
}

function placeOf(kind: string, key: string): string {
  return `${kind}\0${key}`
}

function shortKey(key: string): string {
  if (key.length * 3 <= keyOctets || Buffer.byteLength(key) <= keyOctets) return key
  return `sha256:${createHash('sha256').update(key).digest('base64')}`
}

/** Forgets at the end of the process: tests, and commands that need none. */
export function memoryNotes(
  clock: Clock,
  log: Log,
  notesPerKind = 100_000,
): Notes & { readonly waiting: number } {
  const disk: NoteDisk = { loadNotes: async () => [], writeNotes: async () => {} }
  return new WrittenNotes({ disk, limits: { notesPerKind }, clock, log })
}
