/** For tests: a message with what DNS knows, judged. */
import { readFileSync } from 'node:fs'
import { mapResolver, type RecordMap } from '../dns/map-resolver.ts'
import { KeyCache } from './dkim/key.ts'
import { type MessageLimits, MessageVerifier, type MessageVerdict } from './message-verifier.ts'

export const testLimits: MessageLimits = {
  headerOctets: 262_144,
  headerFields: 1_000,
  dkimSignatures: 10,
  arcSets: 50,
}

/** @param message One char per octet. @param txt Records by name. */
export async function verifyMessage(
  message: string | readonly string[],
  txt: Readonly<Record<string, string | readonly string[]>>,
  options: { readonly now?: number; readonly limits?: Partial<MessageLimits>; readonly dns?: RecordMap } = {},
): Promise<MessageVerdict> {
  const { now = Date.UTC(2026, 0, 1), limits = {}, dns = {} } = options
  const records = Object.entries(txt).map(([name, text]) => [
    name,
    { TXT: typeof text === 'string' ? [text] : text },
  ])
  const resolver = mapResolver({ ...Object.fromEntries(records), ...dns })
  const world = { resolver, keys: new KeyCache(), now: () => now }
  const verifier = new MessageVerifier(world, { ...testLimits, ...limits })
  for (const piece of typeof message === 'string' ? [message] : message) {
    verifier.push(Buffer.from(piece, 'latin1'))
  }
  return verifier.finish()
}

export function withCrlf(text: string): string {
  return text.replace(/\r?\n/g, '\r\n')
}

/** A file of test/corpus, one char per octet. */
export function corpus(name: string): string {
  return readFileSync(new URL(`../../test/corpus/${name}`, import.meta.url), 'latin1')
}

/** Key records, an empty line, and a message. */
export function readVector(name: string): { txt: Record<string, string>; message: string } {
  const text = corpus(name)
  const empty = /\r?\n\r?\n/.exec(text)!
  const txt: Record<string, string> = {}
  for (const line of text.slice(0, empty.index).split(/\r?\n/)) {
    const space = line.indexOf(' ')
    txt[line.slice(0, space)] = line.slice(space + 1)
  }
  return { txt, message: withCrlf(text.slice(empty.index + empty[0].length)) }
}
