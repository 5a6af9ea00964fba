/**
 * The thread that writes large bodies: `big/tmp/<id>` while they arrive; synced, renamed to `big/<2 hex>/<id>` and the
 * folder synced when they are whole. Only then does anybody hear of the file, so a row never names one that is not there.
 */
import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { DiskReserve } from './disk-reserve.ts'
import { pickDisk } from './pick-disk.ts'

export interface BodyThreadData {
  readonly folder: string
  readonly diskModule: string | null
  readonly diskData: unknown
  readonly diskReserveOctets: number
}

export type BodyThreadRequest =
  | { readonly id: string; readonly kind: 'write'; readonly chunk: Uint8Array }
  | { readonly id: string; readonly kind: 'finish' }
  /** `file`: where `finish` has put it, else null. */
  | { readonly id: string; readonly kind: 'abort'; readonly file: string | null }

export type BodyThreadReply =
  | { readonly id: string; readonly kind: 'written'; readonly octets: number }
  | { readonly id: string; readonly kind: 'finished'; readonly file: string; readonly hash: Uint8Array }
  | { readonly id: string; readonly kind: 'failed'; readonly error: string }

interface Open {
  readonly fd: number
  readonly sha: Hash
}

const port = parentPort!
const data = workerData as BodyThreadData
const disk = await pickDisk(data)
const big = join(data.folder, 'big')
const reserve = new DiskReserve(disk, data.folder, data.diskReserveOctets)
const open = new Map<string, Open>()
/** Folders that are known to be on the disk. */
const folders = new Set<string>()

function handle(request: BodyThreadRequest): void {
  const { id } = request
  try {
    if (request.kind === 'write') write(id, request.chunk)
    else if (request.kind === 'finish') finish(id)
    else abort(id, request.file)
  } catch (error) {
    discard(id)
    reply({ id, kind: 'failed', error: error instanceof Error ? error.message : String(error) })
  }
}

function write(id: string, chunk: Uint8Array): void {
  reserve.check()
  let file = open.get(id)
  if (file === undefined) {
    ensureFolder('tmp')
    file = { fd: disk.create(temporary(id)), sha: createHash('sha256') }
    open.set(id, file)
  }
  disk.write(file.fd, [chunk])
  file.sha.update(chunk)
  reply({ id, kind: 'written', octets: chunk.length })
}

function finish(id: string): void {
  const file = open.get(id)
  // Its failure has been told already.
  if (file === undefined) return
  disk.sync(file.fd)
  const folder = id.slice(0, 2)
  ensureFolder(folder)
  disk.rename(temporary(id), join(big, folder, id))
  disk.syncFolder(join(big, folder))
  disk.close(file.fd)
  open.delete(id)
  reply({ id, kind: 'finished', file: `${folder}/${id}`, hash: file.sha.digest() })
}

function abort(id: string, file: string | null): void {
  discard(id)
  if (file !== null) remove(join(big, file))
  // `finish` may have been under way when the sender gave up.
  else remove(join(big, id.slice(0, 2), id))
}

function discard(id: string): void {
  const file = open.get(id)
  if (file === undefined) return
  open.delete(id)
  disk.close(file.fd)
  remove(temporary(id))
}

function remove(file: string): void {
  try {
    disk.remove(file)
  } catch {
    // The sweep at the next start finds what has no row.
  }
}

function ensureFolder(name: string): void {
  if (folders.has(name)) return
  disk.makeFolder(join(big, name))
  disk.syncFolder(big)
  disk.syncFolder(data.folder)
  folders.add(name)
}

function temporary(id: string): string {
  return join(big, 'tmp', id)
}

function reply(message: BodyThreadReply): void {
  port.postMessage(message)
}

port.on('message', handle)
