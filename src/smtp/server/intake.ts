/**
 * What is kept of a message while it arrives: fields that must not stay are taken out, the rest is scanned, signed and
 * written, once and in pieces.
 */
import { andThen } from '../../base/at-once.ts'
import { isForgedResult } from '../../message/authserv-id.ts'
import { BinaryEncoder } from '../../message/binary-encoder.ts'
import { FieldFilter, fieldNames } from '../../message/field-filter.ts'
import { MessageScanner, type MessageScan } from '../../message/scan.ts'
import type { BodySink, StagedBody } from '../../store/body.ts'
import { blindCopies } from '../../submission/blind-copies.ts'
import type { MessageSigner } from '../../submission/signer.ts'
import { LineMeasure } from '../wire/line-measure.ts'
import type { SmtpDoorOptions } from './options.ts'

const lineEnd = Buffer.from('\r\n')
/** CR and LF, as `#ending` has them. */
const crLf = 0x0d0a
const foreignResults = fieldNames('authentication-results')

export class Intake {
  readonly #measure = new LineMeasure()
  /** Of a message that came as BODY=BINARYMIME: what is kept has lines. */
  readonly #binary: BinaryEncoder | null
  readonly #fields: FieldFilter | null
  readonly #scanner: MessageScanner
  readonly #signer: MessageSigner | null
  #sink: BodySink | null
  /** Of what is kept, the last two octets; null: nothing has come. */
  #ending: number | null = null

  constructor(options: SmtpDoorOptions, binary = false) {
    const { limits, role, store, signer } = options
    this.#fields = fieldsThatGo(options)
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

  /** Waits while the disk cannot keep up; undefined: it can. @throws {StoreUnavailable} */
  push(octets: Uint8Array): Promise<void> | undefined {
    if (this.#binary !== null) return this.#keepAll(this.#filtered(this.#binary.push(octets)))
    return this.#fields === null ? this.#keep(octets) : this.#keepAll(this.#fields.push(octets))
  }

  /** Of what is kept. */
  get longestLine(): number {
    return this.#measure.longestLine
  }

  #filtered(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    const fields = this.#fields
    return fields === null ? pieces : pieces.flatMap((piece) => fields.push(piece))
  }

  #keepAll(pieces: readonly Uint8Array[], from = 0): Promise<void> | undefined {
    for (let index = from; index < pieces.length; index++) {
      const waiting = this.#keep(pieces[index]!)
      if (waiting !== undefined) return waiting.then(() => this.#keepAll(pieces, index + 1))
    }
    return undefined
  }

  #keep(piece: Uint8Array): Promise<void> | undefined {
    if (this.#sink === null || piece.length === 0) return undefined
    this.#measure.push(piece)
    const before = piece.length > 1 ? piece[piece.length - 2]! : (this.#ending ?? 0) & 0xff
    this.#ending = (before << 8) | piece[piece.length - 1]!
    this.#scanner.push(piece)
    this.#signer?.push(piece)
    return this.#sink.write(piece)
  }

  /** After the last octet: what it is; `stage` is to follow. @throws {StoreUnavailable} */
  scan(): MessageScan | Promise<MessageScan> {
    const last = [...this.#filtered(this.#binary?.finish() ?? []), ...(this.#fields?.finish() ?? [])]
    const kept = this.#keepAll(last)
    const ended = kept === undefined ? this.#endLine() : kept.then(() => this.#endLine())
    return ended === undefined ? this.#scanner.finish() : ended.then(() => this.#scanner.finish())
  }

  /** What came in chunks need not end with a line end; what is kept does. */
  #endLine(): Promise<void> | undefined {
    return this.#ending === null || this.#ending === crLf ? undefined : this.#keep(lineEnd)
  }

  /** Writes what is left; whoever calls it must see that it is accepted. @throws {StoreUnavailable} */
  stage(): StagedBody | Promise<StagedBody> {
    if (this.#sink === null) throw new Error('Message was given up')
    return andThen(this.#sink.finish(), (staged) => {
      this.#sink = null
      return staged
    })
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

function fieldsThatGo({ role, hostname, limits }: SmtpDoorOptions): FieldFilter | null {
  if (role === 'submission') return new FieldFilter(limits.headerOctets, blindCopies)
  // What comes by LMTP has been judged by a server of our own, which may bear our name.
  if (role === 'lmtp') return null
  // RFC 8601 §5: what strangers say in our name goes.
  return new FieldFilter(limits.headerOctets, foreignResults, (value) => isForgedResult(value, hostname))
}
