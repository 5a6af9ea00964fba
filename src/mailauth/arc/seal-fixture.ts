/** For tests: adds an ARC set to a message, RFC 8617 §5.1. */
import type { KeyObject } from 'node:crypto'
import { parseHeader } from '../../message/header.ts'
import { BodyHash } from '../dkim/body-hash.ts'
import { canonicalField, FieldPicker, signedField, signedText } from '../dkim/canonical-header.ts'
import { signText } from '../dkim/sign.ts'

/** @param message With CRLF, one char per octet. @param key Ed25519, of the selector `ed`. */
export async function sealMessage(
  message: string,
  set: {
    readonly instance: number | string
    /** Default: as it ought to be. */
    readonly cv?: string
    /** Of h=. */
    readonly signed?: readonly string[]
    readonly domain: string
    readonly key: KeyObject
    readonly results: string
    /** Earlier ARC fields in the order in which they were sealed. */
    readonly before?: readonly string[]
  },
): Promise<{ message: string; fields: string[] }> {
  const { instance, domain, key, before = [], signed = ['from', 'subject'] } = set
  const cv = set.cv ?? (Number(instance) === 1 ? 'none' : 'pass')
  const sign = (text: Buffer): Promise<string> => signText(text, key, 'ed25519-sha256')
  const toFields = (text: string) => parseHeader(text).fields.map((field) => signedField(field, text))
  const [header = '', body = ''] = message.split(/(?<=\r\n)\r\n/, 2)
  const hash = new BodyHash('relaxed')
  hash.push(Buffer.from(body, 'latin1'))
  const results = `ARC-Authentication-Results: i=${instance}; ${domain}; ${set.results}`
  const common = `a=ed25519-sha256; d=${domain}; s=ed; t=1;`
  const unsigned = `ARC-Message-Signature: i=${instance}; c=relaxed/relaxed; ${common} h=${signed.join(':')}; bh=${hash.finish().hash}; b=`
  const [own] = toFields(`${unsigned}\r\n`)
  const picked = new FieldPicker(toFields(header)).pick(signed)
  const signature = unsigned + (await sign(signedText(picked, own!, 'relaxed')))
  const seal = `ARC-Seal: i=${instance}; cv=${cv}; ${common} b=`
  const sealed = toFields([...before, results, signature, seal].map((field) => `${field}\r\n`).join(''))
  const text = sealed.map((field) => canonicalField(field, 'relaxed')).join('\r\n')
  const fields = [results, signature, seal + (await sign(Buffer.from(text, 'latin1')))]
  return { message: `${fields.toReversed().join('\r\n')}\r\n${message}`, fields: [...before, ...fields] }
}
