/** The thread of the journeys. A file that turns out to be damaged is set aside and begun anew. */
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { JourneyBase } from './journey-base.ts'
import type { JourneyReply, JourneyRequest, JourneyThreadData } from './protocol.ts'

const port = parentPort!
const data = workerData as JourneyThreadData
const file = join(data.folder, 'journey.db')
let base: JourneyBase | null = null

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
  base ??= new JourneyBase(file, data)
  if (request.kind === 'append') base.append(request.entries)
  else if (request.kind === 'expire') base.expire(request.nowMs)
  else if (request.kind === 'find') return { journeys: base.find(request.query) }
  else if (request.kind === 'close') {
    base.close()
    base = null
  }
  return {}
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
  const aside = `${file}.damaged`
  try {
    base?.close()
    base = null
    // One is enough to look into; none must fill the disk.
    rmSync(aside, { force: true })
    renameSync(file, aside)
    rmSync(`${file}-wal`, { force: true })
    rmSync(`${file}-shm`, { force: true })
    const warning = { text: 'journeys: the file was damaged and begun anew', facts: { aside, error: text } }
    return { id, ...perform(request), warning }
  } catch (error) {
    base = null
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

port.on('message', handle)
