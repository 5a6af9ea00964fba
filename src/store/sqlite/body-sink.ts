import { createHash } from 'node:crypto'
import type { BodySink, StagedBody } from '../body.ts'
import { inlineBodyOctets } from '../body.ts'
import type { BodyFile, BodyFiles } from './body-files.ts'

/** Octets that may wait for the disk before `write` asks its caller to wait. */
const aheadOctets = 1024 * 1024

/** Takes an arriving body: a small one stays in memory, a large one goes to a file of its own as soon as it is one. */
export class ArrivingBody implements BodySink {
  readonly #files: BodyFiles
  #chunks: Uint8Array[] = []
  #octets = 0
  #file: BodyFile | null = null
  #state: 'open' | 'finished' | 'aborted' = 'open'

  constructor(files: BodyFiles) {
    this.#files = files
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#state !== 'open') return Promise.reject(new Error('Cannot write: the body has ended'))
    this.#octets += chunk.length
    if (this.#file === null) {
      this.#chunks.push(chunk)
      if (this.#octets <= inlineBodyOctets) return undefined
      this.#file = this.#files.begin()
      for (const kept of this.#chunks) this.#file.write(kept)
      this.#chunks = []
    } else {
      this.#file.write(chunk)
    }
    return this.#file.writtenTo(aheadOctets)
  }

  finish(): StagedBody | Promise<StagedBody> {
    if (this.#state !== 'open') throw new Error('Cannot finish: the body has ended')
    this.#state = 'finished'
    if (this.#file === null) return new MemoryBody(this.#chunks, this.#octets)
    return this.#file
      .finish()
      .then(({ file, hash }) => ({ octets: this.#octets, content: { kind: 'file', file }, hash }))
  }

  abort(): void {
    if (this.#state === 'aborted') return
    this.#state = 'aborted'
    this.#chunks = []
    this.#file?.abort()
  }
}

/** The writer hashes what it stores; here it is done only for who asks. */
class MemoryBody implements StagedBody {
  readonly octets: number
  readonly content: StagedBody['content']
  #hash: Uint8Array | null = null

  constructor(chunks: readonly Uint8Array[], octets: number) {
    this.octets = octets
    this.content = { kind: 'memory', chunks }
  }

  get hash(): Uint8Array {
    if (this.#hash === null) {
      const sha = createHash('sha256')
      if (this.content.kind === 'memory') for (const chunk of this.content.chunks) sha.update(chunk)
      this.#hash = sha.digest()
    }
    return this.#hash
  }
}
