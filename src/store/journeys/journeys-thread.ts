/**
 * The thread of the journeys, and of the notes beside them: each in a file of its own. A file that turns out to be
 * damaged is set aside and begun anew.
 */
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { NoteBase } from '../notes/note-base.ts'
import { JourneyBase } from './journey-base.ts'
import type { JourneyReply, JourneyRequest, JourneyThreadData } from './protocol.ts'

/** One file, opened when it is first needed. */
class OwnFile<Base extends { close(): void }> {
  readonly path: string
  readonly #make: (path: string) => Base
  #base: Base | null = null

  constructor(name: string, make: (path: string) => Base) {
    this.path = join(data.folder, name)
    this.#make = make
  }

  get base(): Base {
    return (this.#base ??= this.#make(this.path))
  }

  close(): void {
    const base = this.#base
    this.#base = null
    base?.close()
  }

  /** @returns Where the old one lies now; one is enough to look into, none must fill the disk. */
  setAside(): string {
    const aside = `${this.path}.damaged`
    this.close()
    rmSync(aside, { force: true })
    renameSync(this.path, aside)
    rmSync(`${this.path}-wal`, { force: true })
    rmSync(`${this.path}-shm`, { force: true })
    return aside
  }
}

const port = parentPort!
const data = workerData as JourneyThreadData
const journeys = new OwnFile('journey.db', (path) => new JourneyBase(path, data))
const notes = new OwnFile('notes.db', (path) => new NoteBase(path))

function handle({ id, request }: { readonly id: number; readonly request: JourneyRequest }): void {
  let reply: JourneyReply
  try {
    reply = { id, ...perform(request) }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    reply = isDamage(error) ? beginAnew(id, request, text) : { id, error: text }
  }
  port.postMessage(reply)
  if (request.kind === 'close') port.close()
}

function perform(request: JourneyRequest): Omit<JourneyReply, 'id'> {
  switch (request.kind) {
    case 'append':
      journeys.base.append(request.batch)
      return {}
    case 'expire':
      journeys.base.expire(request.nowMs)
      return {}
    case 'find':
      return { journeys: journeys.base.find(request.query) }
    case 'notes.load':
      return { notes: notes.base.load(request.after, request.limit) }
    case 'notes.write':
      notes.base.write(request.notes)
      return {}
    case 'notes.expire':
      notes.base.expire(request.nowMs)
      return {}
    case 'close':
      journeys.close()
      notes.close()
      return {}
    case 'flush':
      void journeys.base
      return {}
  }
}

function isDamage(error: unknown): boolean {
  // SQLITE_CORRUPT, SQLITE_NOTADB
  return (
    error instanceof Error &&
    (/not a database|malformed/i.test(error.message) ||
      ('errcode' in error && [11, 26].includes(Number(error.errcode) & 0xff)))
  )
}

function beginAnew(id: number, request: JourneyRequest, text: string): JourneyReply {
  const isNote = request.kind.startsWith('notes.')
  const what = isNote ? 'notes' : 'journeys'
  try {
    const aside = (isNote ? notes : journeys).setAside()
    const warning = { text: `${what}: the file was damaged and begun anew`, facts: { aside, error: text } }
    return { id, ...perform(request), warning }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

port.on('message', handle)
