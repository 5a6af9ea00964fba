/** A message that has a file of its own. */
import { type FileHandle, open } from 'node:fs/promises'
import { parseDate } from '../message/date.ts'
import { headerValues } from '../message/header.ts'
import type { Marks } from './keywords.ts'
import { ToCrlf } from './line-ends.ts'
import { type SourceFacts, type SourceMessage, Unreadable } from './source.ts'

export interface FileMessageOptions {
  readonly key: string
  readonly marks: Marks
  /** Messages of the source that are done once this one is. */
  readonly done: number
  /** Known from elsewhere; null: see `datedBy`. */
  readonly internalDate: number | null
  readonly datedBy: 'file' | 'field'
  /** Where the file is now: a mail program may rename it at any time. Null when it has gone. */
  find(): Promise<string | null>
}

/** Octets at the beginning in which the Date field is looked for. */
const headOctets = 65_536
const chunkOctets = 262_144
const dayMs = 86_400_000

export class FileMessage implements SourceMessage {
  readonly key: string
  readonly place: string
  readonly #options: FileMessageOptions
  #date: number | null

  constructor(path: string, options: FileMessageOptions) {
    this.key = options.key
    this.place = path
    this.#options = options
    this.#date = options.internalDate
  }

  async *read(): AsyncGenerator<Uint8Array> {
    const crlf = new ToCrlf()
    let handle: FileHandle | null = null
    try {
      handle = await this.#open()
      const { size, mtimeMs } = await handle.stat()
      for (let position = 0; position < size; ) {
        const buffer = Buffer.allocUnsafe(Math.min(chunkOctets, size - position))
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
        if (bytesRead === 0) throw new Unreadable('it was cut while it was read')
        const chunk = buffer.subarray(0, bytesRead)
        if (position === 0) this.#date ??= this.#dateOf(chunk) ?? Math.round(mtimeMs)
        position += bytesRead
        yield crlf.push(chunk)
      }
    } catch (error) {
      if (error instanceof Unreadable) throw error
      const { code } = error as NodeJS.ErrnoException
      if (code === undefined) throw error
      throw new Unreadable(reasons[code] ?? code, { cause: error })
    } finally {
      await handle?.close()
    }
  }

  facts(): SourceFacts {
    const { marks, done } = this.#options
    return { ...marks, internalDate: this.#date, done, end: null, noMessage: null }
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.place)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      const found = await this.#options.find()
      if (found === null) throw error
      return open(found)
    }
  }

  #dateOf(head: Buffer): number | null {
    if (this.#options.datedBy !== 'field') return null
    const [text] = headerValues(head.subarray(0, headOctets), 'Date')
    const date = text === undefined ? null : parseDate(text)
    // Nothing was mailed in 1970, and nothing in the future: such a date tells less than the file's.
    const makesSense = date !== null && date.epochMs > dayMs && date.epochMs < Date.now() + dayMs
    return makesSense ? date.epochMs : null
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ENOENT: 'it has gone meanwhile',
  EISDIR: 'it is a folder',
  EIO: 'the disk fails here',
}
