/**
 * Signs a message that passes once, RFC 6376 §5: its header is kept, its body hashed as it comes.
 *
 * Both are canonicalised `relaxed`, which survives what relays do to blanks and folds. The body hash does not depend on
 * the key, so the keys are asked for only at the end, when the author is known.
 */
import type { KeyObject } from 'node:crypto'
import { HeaderSplitter } from '../../message/header-splitter.ts'
import { latin1, parseHeader } from '../../message/header.ts'
import type { Algorithm } from './algorithm.ts'
import { BodyHash } from './body-hash.ts'
import { FieldPicker, type SignedField, signedField, signedText } from './canonical-header.ts'
import { readPrivateKey, signText } from './sign.ts'
import { namesToSign } from './signed-fields.ts'

export interface SigningKey {
  /** Of d=, A-labels. */
  readonly domain: string
  readonly selector: string
  readonly algorithm: Algorithm
  /** PKCS #8, PEM, or what `readPrivateKey` made of it: to be preferred, reading takes longer than signing. */
  readonly privateKey: string | KeyObject
}

export interface DkimSignerOptions {
  /** A longer header is not signed. */
  readonly headerOctets: number
}

export class DkimSigner {
  readonly #splitter: HeaderSplitter
  readonly #body = new BodyHash('relaxed')

  constructor(options: DkimSignerOptions) {
    this.#splitter = new HeaderSplitter(options.headerOctets)
  }

  /** The message as it will go on, header first; any cut. Nothing is kept of the chunk itself. */
  push(octets: Uint8Array): void {
    const body = this.#splitter.push(octets)
    if (body !== null) this.#body.push(body)
  }

  /**
   * Ends the message; once.
   *
   * @param fieldsAbove Those that will stand directly above what was pushed, each with its CRLF, from top to bottom.
   * @param now Milliseconds since 1970.
   * @returns A DKIM-Signature field for each key, folded, with its CRLF, in the order of the keys; to stand above
   *   `fieldsAbove`. None when the header was over its bound or has no From field, which must be signed (§5.4).
   * @throws {Error} A key cannot be read, or is of another kind than its algorithm.
   */
  async finish(keys: readonly SigningKey[], fieldsAbove: readonly string[], now: number): Promise<string[]> {
    const rest = this.#splitter.finish()
    if (rest !== null) this.#body.push(rest)
    const { hash } = this.#body.finish()
    if (this.#splitter.overLimit) return []
    const header = asOctets(fieldsAbove.join('')) + latin1(this.#splitter.header)
    const fields = parseHeader(header).fields.map((field) => signedField(field, header))
    const picker = new FieldPicker(fields)
    if (picker.count('from') === 0) return []
    const names = namesToSign(picker)
    const signed = picker.pick(names)
    return Promise.all(keys.map((key) => signWith(key, { names, signed, bodyHash: hash, now })))
  }
}

interface ToSign {
  readonly names: readonly string[]
  readonly signed: readonly SignedField[]
  readonly bodyHash: string
  readonly now: number
}

async function signWith(key: SigningKey, { names, signed, bodyHash, now }: ToSign): Promise<string> {
  const { domain, selector, algorithm, privateKey } = key
  const tags = [
    'v=1;',
    `a=${algorithm};`,
    'c=relaxed/relaxed;',
    `d=${domain};`,
    `s=${selector};`,
    `t=${Math.floor(now / 1000)};`,
  ]
  const hNames = names.map((name, index) => (index === names.length - 1 ? `${name};` : `${name}:`))
  const value = `${fold(tags, ' ')}\r\n ${fold(['h=', ...hNames], '')}\r\n bh=${bodyHash};\r\n b=`
  const own = { name: 'DKIM-Signature', value: ` ${value}`, raw: `DKIM-Signature: ${value}` }
  const keyObject = typeof privateKey === 'string' ? readPrivateKey(privateKey, algorithm) : privateKey
  const signature = await signText(signedText(signed, own, 'relaxed'), keyObject, algorithm)
  return `${own.raw}${(signature.match(/.{1,72}/g) ?? []).join('\r\n ')}\r\n`
}

/** Words on lines of at most 72 chars, as every line but the first begins with a blank. */
function fold(words: readonly string[], between: string): string {
  const lines: string[] = []
  // The first line has the field's name before it.
  let line = ''
  for (const word of words) {
    const room = lines.length === 0 ? 56 : 72
    if (line !== '' && line.length + between.length + word.length > room) {
      lines.push(line)
      line = word
    } else line += line === '' ? word : between + word
  }
  return [...lines, line].join('\r\n ')
}

/** Our own fields may have U-labels and display names; they will be written as UTF-8. */
function asOctets(text: string): string {
  return /[^\x00-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text
}
