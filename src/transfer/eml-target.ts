/** A folder for each mailbox, a file for each message as it was mailed; what such a file cannot tell is in a list beside it. */
import { renameSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { EmlMarks } from './eml-source.ts'
import { addLines, marksFile, readLines } from './export-list.ts'
import { namesOfFlags } from './keywords.ts'
import { writeMessageFile } from './message-file.ts'
import { ForeignFile, type MessageOctets, type Target } from './target.ts'
import type { ExportedMailbox, ExportedMessage } from './wire.ts'

const asItIs = { push: (piece: Uint8Array) => piece, finish: () => Buffer.alloc(0) }

export class EmlTarget implements Target {
  readonly #root: string
  #folder = ''
  #there = new Set<string>()
  #known = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  async open(_mailbox: ExportedMailbox, path: string): Promise<number> {
    this.#folder = join(this.#root, path)
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    this.#there = new Set(await readdir(this.#folder))
    const lines = ((await readLines(join(this.#folder, marksFile), 'continue')) ?? []) as EmlMarks[]
    this.#known = new Set(lines.map(({ name }) => name))
    return 0
  }

  async add(message: ExportedMessage, octets: MessageOctets): Promise<boolean> {
    const { uid, internalDate, flags, keywords } = message
    const name = `${nameOfMoment(internalDate)}-${uid}.eml`
    if (this.#there.has(name)) {
      if (!this.#known.has(name)) throw new ForeignFile(join(this.#folder, name))
      return false
    }
    const half = join(this.#folder, '.posthorn-half')
    await writeMessageFile(half, octets, asItIs, internalDate)
    const marks: EmlMarks = { name, internalDate, marks: [...namesOfFlags(flags), ...keywords] }
    if (!this.#known.has(name)) await addLines(join(this.#folder, marksFile), [marks])
    renameSync(half, join(this.#folder, name))
    this.#there.add(name)
    this.#known.add(name)
    return true
  }

  async settle(): Promise<void> {}

  async close(): Promise<void> {}

  async leave(): Promise<void> {}
}

/** Sorts by time. UTC. */
function nameOfMoment(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')
}
