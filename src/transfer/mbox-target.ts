/** One mbox for each mailbox. What is in it counts once the list says so; what a crash left behind that is cut off. */
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { addLines, type ExportList, listFile, type MboxProgress } from './export-list.ts'
import { MboxPacker } from './mbox-pack.ts'
import { ForeignFile, type MessageOctets, piecesOf, type Target } from './target.ts'
import type { ExportedMailbox, ExportedMessage } from './wire.ts'

/** Octets that are gathered for one write. */
const writeOctets = 262_144

export class MboxTarget implements Target {
  readonly #root: string
  readonly #progress: Map<string, MboxProgress>
  #handle: FileHandle | null = null
  #path = ''
  #octets = 0
  #uid = 0
  #waiting: Uint8Array[] = []
  #waitingOctets = 0

  constructor(root: string, list: ExportList) {
    this.#root = root
    this.#progress = new Map(list.progress)
  }

  async open(_mailbox: ExportedMailbox, path: string): Promise<number> {
    const file = join(this.#root, path)
    this.#path = path
    const before = this.#progress.get(path)
    await mkdir(dirname(file), { recursive: true })
    this.#handle = await open(file, before === undefined ? 'wx' : 'r+', 0o600).catch(
      async (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return openEmpty(file)
        if (error.code === 'ENOENT') return open(file, 'wx', 0o600)
        throw error
      },
    )
    const { size } = await this.#handle.stat()
    this.#octets = before?.octets ?? 0
    this.#uid = before?.uid ?? 0
    if (before?.complete === true && size > 0 && size !== before.octets) {
      throw new ForeignFile(file, 'was changed since it was exported')
    }
    // It was removed, or the disk lost its end: from the beginning.
    if (size < this.#octets) this.#octets = this.#uid = 0
    await this.#handle.truncate(this.#octets)
    await this.#note(false)
    return this.#uid
  }

  async add(message: ExportedMessage, octets: MessageOctets): Promise<boolean> {
    const packer = new MboxPacker(message)
    for await (const piece of piecesOf(octets)) {
      for (const packed of packer.push(piece)) await this.#write(packed)
    }
    for (const packed of packer.finish()) await this.#write(packed)
    return true
  }

  async settle(upTo: number): Promise<void> {
    await this.#flush()
    await this.#handle!.datasync()
    this.#uid = upTo
    await this.#note(false)
  }

  async close(): Promise<void> {
    await this.#flush()
    await this.#note(true)
    await this.leave()
  }

  async leave(): Promise<void> {
    await this.#handle?.close()
    this.#handle = null
  }

  async #write(octets: Uint8Array): Promise<void> {
    this.#waiting.push(octets)
    this.#waitingOctets += octets.length
    if (this.#waitingOctets >= writeOctets) await this.#flush()
  }

  async #flush(): Promise<void> {
    const octets = Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#waitingOctets = 0
    for (let at = 0; at < octets.length; ) {
      const { bytesWritten } = await this.#handle!.write(octets, at, octets.length - at, this.#octets)
      at += bytesWritten
      this.#octets += bytesWritten
    }
  }

  async #note(complete: boolean): Promise<void> {
    const progress = { path: this.#path, uid: this.#uid, octets: this.#octets, complete }
    this.#progress.set(this.#path, progress)
    await addLines(join(this.#root, listFile), [progress])
  }
}

/** A file that is there although the list knows nothing of its content: ours only when a crash left it empty. */
async function openEmpty(file: string): Promise<FileHandle> {
  const handle = await open(file, 'r+')
  if ((await handle.stat()).size === 0) return handle
  await handle.close()
  throw new ForeignFile(file)
}
