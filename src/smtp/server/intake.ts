/**
 * What is kept of a message while it arrives: fields that must not stay are taken out, the rest is scanned, signed and
 * written, once and in pieces.
 */
import { isForgedResult } from '../../message/authserv-id.ts'
import { BinaryEncoder } from '../../message/binary-encoder.ts'
import { FieldFilter, type FieldsToDrop } from '../../message/field-filter.ts'
import { MessageScanner, type MessageScan } from '../../message/scan.ts'
import type { BodySink, StagedBody } from '../../store/body.ts'
import { blindCopies } from '../../submission/blind-copies.ts'
import type { MessageSigner } from '../../submission/signer.ts'
import { LineMeasure } from '../wire/line-measure.ts'
import type { SmtpDoorOptions } from './options.ts'

const nothing = Buffer.alloc(0)
const lineEnd = Buffer.from('\r\n')

export class Intake {
  readonly #measure = new LineMeasure()
  /** Of a message that came as BODY=BINARYMIME: what is kept has lines. */
  readonly #binary: BinaryEncoder | null
  readonly #fields: FieldFilter | null
  readonly #scanner: MessageScanner
  readonly #signer: MessageSigner | null
  #sink: BodySink | null
  /** Of what is kept, the last two octets. */
  #ending: Uint8Array = nothing

  constructor(options: SmtpDoorOptions, binary = false) {
    const { limits, role, hostname, store, signer } = options
    const goes = fieldsThatGo(role, hostname)
    this.#fields = goes === null ? null : new FieldFilter(limits.headerOctets, goes)
    this.#binary = binary ? new BinaryEncoder(limits.headerOctets) : null
    this.#scanner = new MessageScanner({
      headerOctets: limits.headerOctets,
      headerFields: limits.headerFields,
      parts: limits.mimeParts,
      nesting: limits.mimeNesting,
    })
    this.#sink = store.openBody()
    this.#signer = role === 'submission' ? (signer?.open() ?? null) : null
  }

  /** Waits while the disk cannot keep up. @throws {StoreUnavailable} */
  async push(octets: Uint8Array): Promise<void> {
    for (const made of this.#binary?.push(octets) ?? [octets]) await this.#filter(made)
  }

  /** Of what is kept. */
  get longestLine(): number {
    return this.#measure.longestLine
  }

  async #filter(octets: Uint8Array): Promise<void> {
    for (const piece of this.#fields?.push(octets) ?? [octets]) await this.#keep(piece)
  }

  async #keep(piece: Uint8Array): Promise<void> {
    if (this.#sink === null) return
    this.#measure.push(piece)
    this.#ending = piece.length > 1 ? piece.subarray(-2) : Buffer.concat([this.#ending, piece]).subarray(-2)
    this.#scanner.push(piece)
    this.#signer?.push(piece)
    const wait = this.#sink.write(piece)
    if (wait !== undefined) await wait
  }

  /** After the last octet: what it is; `stage` is to follow. @throws {StoreUnavailable} */
  async scan(): Promise<MessageScan> {
    for (const made of this.#binary?.finish() ?? []) await this.#filter(made)
    for (const piece of this.#fields?.finish() ?? []) await this.#keep(piece)
    // What came in chunks need not end with a line end; what is kept does.
    if (this.#ending.length > 0 && !lineEnd.equals(this.#ending)) await this.#keep(lineEnd)
    return this.#scanner.finish()
  }

  /** Writes what is left; whoever calls it must see that it is accepted. @throws {StoreUnavailable} */
  async stage(): Promise<StagedBody> {
    if (this.#sink === null) throw new Error('Message was given up')
    const staged = await this.#sink.finish()
    this.#sink = null
    return staged
  }

  /** DKIM-Signature fields for what was pushed, with `fields` directly above it. */
  async sign(authorDomain: string, fields: readonly string[]): Promise<readonly string[]> {
    return this.#signer === null ? [] : this.#signer.finish(authorDomain, fields)
  }

  abort(): void {
    this.#sink?.abort()
    this.#sink = null
  }
}

function fieldsThatGo(role: SmtpDoorOptions['role'], hostname: string): FieldsToDrop | null {
  if (role === 'submission') return blindCopies
  // What comes by LMTP has been judged by a server of our own, which may bear our name.
  if (role === 'lmtp') return null
  // RFC 8601 §5: what strangers say in our name goes.
  return { names: ['authentication-results'], drops: (value) => isForgedResult(value, hostname) }
}
