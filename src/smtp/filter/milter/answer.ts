/** What a milter says, as values. */
import { type Packet, MilterFault } from './packet.ts'
import { isPath } from '../path.ts'
import { Refusal, type Reply, refuse } from '../../wire/reply.ts'

/** Ends the wait for an answer. */
export type Verdict =
  | { readonly kind: 'continue' | 'accept' | 'reject' | 'tempfail' | 'discard' | 'skip' }
  | { readonly kind: 'reply'; readonly refusal: Refusal }

/** Asked for at the end of a message, before the verdict. */
export type Modification =
  | { readonly kind: 'add-header'; readonly name: string; readonly value: string }
  /** `index`: fields that stand before it, our own Received counted. */
  | { readonly kind: 'insert-header'; readonly index: number; readonly name: string; readonly value: string }
  /** `index`: which one of that name, from 1. An empty value removes it. */
  | { readonly kind: 'change-header'; readonly index: number; readonly name: string; readonly value: string }
  | { readonly kind: 'body'; readonly octets: Buffer }
  | { readonly kind: 'sender'; readonly path: string }
  | { readonly kind: 'add-recipient' | 'delete-recipient'; readonly path: string }
  | { readonly kind: 'quarantine'; readonly reason: string }

export type Answer = Verdict | Modification | { readonly kind: 'progress' }

/** @throws {MilterFault} A letter we do not know, or octets that do not fit it. */
export function readAnswer({ letter, data }: Packet): Answer {
  switch (letter) {
    case 'c':
      return { kind: 'continue' }
    case 'a':
      return { kind: 'accept' }
    case 'r':
      return { kind: 'reject' }
    case 't':
      return { kind: 'tempfail' }
    case 'd':
      return { kind: 'discard' }
    case 's':
      return { kind: 'skip' }
    case 'p':
      return { kind: 'progress' }
    case 'y':
      return { kind: 'reply', refusal: readReply(one(data, letter)) }
    case '4':
      return { kind: 'reply', refusal: refuse(421, '4.7.0', 'Closing connection, try again later') }
    case 'f':
      throw new MilterFault('says it cannot serve this connection')
    default:
      return readModification(letter, data)
  }
}

function readModification(letter: string, data: Buffer): Modification {
  switch (letter) {
    case 'h': {
      const [name, value] = field(data, letter)
      return { kind: 'add-header', name, value }
    }
    case 'i':
    case 'm': {
      if (data.length < 4) throw unreadable(letter)
      const [name, value] = field(data.subarray(4), letter)
      return {
        kind: letter === 'i' ? 'insert-header' : 'change-header',
        index: data.readUInt32BE(0),
        name,
        value,
      }
    }
    case 'b':
      return { kind: 'body', octets: data }
    case 'e':
      return { kind: 'sender', path: barePath(all(data, letter)[0]!) }
    case '+':
    case '2':
      // The parameters that '2' may bring ask for reports (RFC 3461), which are the sender's to ask for: passed over.
      return { kind: 'add-recipient', path: barePath(all(data, letter)[0]!) }
    case '-':
      return { kind: 'delete-recipient', path: barePath(one(data, letter)) }
    case 'q':
      return { kind: 'quarantine', reason: one(data, letter) }
    default:
      throw new MilterFault(`answers with the letter ${JSON.stringify(letter)}`)
  }
}

/** libmilter has as many lines, and they are shorter. */
const replyLines = 32
const replyLineOctets = 980

/** Code, status code and text, as RFC 5321 §4.2 writes a reply; lines after the first repeat the code. */
function readReply(text: string): Refusal {
  const lines: string[] = []
  let code = 0
  let status: string | null = null
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue
    const match = /^([45]\d\d)(?:[ -](?:([245]\.\d{1,3}\.\d{1,3})(?: |$))?(.*))?$/.exec(line)
    if (match === null) throw new MilterFault('wrote a reply that does not begin with 4xx or 5xx')
    code = Number(match[1])
    status ??= match[2] ?? null
    // A percent sign is doubled for Sendmail, which once took the text for a format.
    lines.push((match[3] ?? '').replaceAll('%%', '%').slice(0, replyLineOctets))
    if (lines.length === replyLines) break
  }
  if (code === 0) throw new MilterFault('wrote an empty reply')
  const reply: Reply = { code, status: status ?? `${Math.floor(code / 100)}.7.1`, lines }
  return new Refusal(reply)
}

function all(data: Buffer, letter: string): string[] {
  if (data.length === 0 || data.at(-1) !== 0) throw unreadable(letter)
  return data.toString('latin1', 0, data.length - 1).split('\0')
}

function one(data: Buffer, letter: string): string {
  const [text, ...more] = all(data, letter)
  if (more.length > 0) throw unreadable(letter)
  return text!
}

/** @throws {MilterFault} The name is none, RFC 5322 §2.2: what follows it could begin another field or the body. */
function field(data: Buffer, letter: string): [name: string, value: string] {
  const [name, value, ...more] = all(data, letter)
  if (value === undefined || more.length > 0 || !/^[\x21-\x39\x3b-\x7e]+$/.test(name!))
    throw unreadable(letter)
  return [name!, value]
}

function barePath(text: string): string {
  const path = text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text
  if (!isPath(path)) throw new MilterFault('names what is no address')
  return path
}

function unreadable(letter: string): MilterFault {
  return new MilterFault(`sent an unreadable "${letter}"`)
}
