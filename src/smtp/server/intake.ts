/**
 * What is kept of a message while it arrives: fields that must not stay are taken out, the rest is scanned, signed and
 * written, once and in pieces.
 */
import { authservId } from '../../message/authserv-id.ts'
import { FieldFilter, type FieldsToDrop } from '../../message/field-filter.ts'
import { MessageScanner, type MessageScan } from '../../message/scan.ts'
import type { BodySink, StagedBody } from '../../store/body.ts'
import { blindCopies } from '../../submission/blind-copies.ts'
import type { MessageSigner } from '../../submission/signer.ts'
import type { SmtpDoorOptions } from './options.ts'

export class Intake {
  readonly #fields: FieldFilter | null
  readonly #scanner: MessageScanner
  readonly #signer: MessageSigner | null
  #sink: BodySink | null

  constructor(options: SmtpDoorOptions) {
    const { limits, role, hostname, store, signer } = options
    const goes = fieldsThatGo(role, hostname)
    this.#fields = goes === null ? null : new FieldFilter(limits.headerOctets, goes)
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
    for (const piece of this.#fields?.push(octets) ?? [octets]) await this.#keep(piece)
  }

  async #keep(piece: Uint8Array): Promise<void> {
    if (this.#sink === null) return
    this.#scanner.push(piece)
    this.#signer?.push(piece)
    const wait = this.#sink.write(piece)
    if (wait !== undefined) await wait
  }

  /** After the last octet: what it is; `stage` is to follow. @throws {StoreUnavailable} */
  async scan(): Promise<MessageScan> {
    for (const piece of this.#fields?.finish() ?? []) await this.#keep(piece)
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
  return { names: ['authentication-results'], drops: (value) => authservId(value) === hostname }
}
