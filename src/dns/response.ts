/**
 * DNS questions and answers as octets: writes the one, reads the other, believes nothing. RFC 1035 §4, EDNS RFC 6891.
 */
import {
  type Answer as WireRecord,
  AUTHENTIC_DATA,
  decode,
  type DecodedPacket,
  DNSSEC_OK,
  encode,
  RECURSION_DESIRED,
} from 'dns-packet'
import { normaliseName } from './name.ts'
import { cnameChainMax } from './records.ts'
import type { Answer, DnsFailure, RecordOf, RecordType } from './resolver.ts'

export interface Question {
  /** Normalised. */
  readonly name: string
  readonly type: RecordType
}

export type Response =
  | {
      readonly kind: 'answer'
      readonly status: Answer<unknown>['status']
      readonly records: readonly RecordOf[RecordType][]
      readonly ttl: number
      /** The AD bit as it came. */
      readonly authentic: boolean
      /** An alias that the server did not follow to its end: to be asked for next. */
      readonly alias: string | null
    }
  | { readonly kind: 'truncated' }
  /** The server does not know EDNS, RFC 6891 §7. */
  | { readonly kind: 'no-edns' }
  | { readonly kind: 'failed'; readonly reason: DnsFailure['reason'] }

/** What comes over UDP without being cut into fragments, RFC 9715 §3. */
export const udpOctetsMax = 1_232
/** An answer over TCP. dns-packet follows pointers anew for each name, so twice the octets are four times the work. */
export const responseOctetsMax = 16_384
/** RFC 8767 §4 asks for a bound; a day is enough for anything. */
const ttlMax = 86_400
/** RFC 2308 §5: one to three hours. */
const negativeTtlMax = 3_600

export function encodeQuestion(id: number, question: Question, edns: boolean): Buffer {
  return encode({
    type: 'query',
    id,
    // AD in a question asks for AD in the answer, RFC 6840 §5.7; DO does the same with servers older than that.
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ name: question.name, type: question.type, class: 'IN' }],
    additionals: edns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: udpOctetsMax,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: DNSSEC_OK,
            flag_do: true,
            options: [],
          },
        ]
      : [],
  })
}

/** @returns Null for what is no answer to this question: another one's, or somebody's attempt to be believed. */
export function readResponse(octets: Buffer, id: number, question: Question): Response | null {
  if (octets.length < 12 || octets.readUInt16BE(0) !== id) return null
  const flags = octets.readUInt16BE(2)
  if ((flags & 0x8000) === 0) return null
  // A cut packet may end in the middle of a record; TCP will tell the truth whoever sent this.
  if ((flags & 0x0200) !== 0) return { kind: 'truncated' }
  const rcode = flags & 0x0f
  // RFC 6891 §7: FORMERR or NOTIMP, often without the question.
  if (rcode === 1 || rcode === 4) return { kind: 'no-edns' }
  let packet: DecodedPacket
  try {
    packet = decode(octets)
  } catch {
    return { kind: 'failed', reason: 'malformed' }
  }
  const [asked] = packet.questions ?? []
  if (asked === undefined || packet.questions?.length !== 1) return null
  if (normaliseName(asked.name) !== question.name) return null
  if (asked.type !== question.type || asked.class !== 'IN') return null
  if (rcode === 5) return { kind: 'failed', reason: 'refused' }
  if (rcode !== 0 && rcode !== 3) return { kind: 'failed', reason: 'servfail' }
  return readAnswer(packet, question, rcode === 3, (flags & 0x0020) !== 0)
}

function readAnswer(
  packet: DecodedPacket,
  question: Question,
  noName: boolean,
  authentic: boolean,
): Response {
  const answers = packet.answers ?? []
  let name = question.name
  let ttl = ttlMax
  for (let hops = 0; hops <= cnameChainMax; hops++) {
    const here = answers.filter((record) => record.type !== 'OPT' && normaliseName(record.name) === name)
    const found = here.filter((record) => record.type === question.type)
    for (const record of found) ttl = Math.min(ttl, ttlOf(record))
    if (found.length > 0) {
      const records = found.map((record) => readRecord(question.type, record))
      return { kind: 'answer', status: 'found', records, ttl, authentic, alias: null }
    }
    const alias = here.find((record) => record.type === 'CNAME')
    if (alias === undefined) break
    const target = normaliseName((alias as { data: string }).data)
    if (target === null) return { kind: 'failed', reason: 'malformed' }
    ttl = Math.min(ttl, ttlOf(alias))
    name = target
    if (hops === cnameChainMax) return { kind: 'failed', reason: 'malformed' }
  }
  const soa = (packet.authorities ?? []).find((record) => record.type === 'SOA')
  // RFC 2308 §2.2: without SOA it may be a server that left the rest of the chain to us.
  const unfinished = name !== question.name && !noName && soa === undefined
  if (unfinished) return { kind: 'answer', status: 'absent', records: [], ttl, authentic, alias: name }
  const status = noName ? 'no-name' : 'absent'
  // RFC 2308 §5: without SOA it is not kept.
  const kept = soa?.type === 'SOA' ? Math.min(ttlOf(soa), soa.data.minimum ?? 0, negativeTtlMax) : 0
  return { kind: 'answer', status, records: [], ttl: Math.min(ttl, kept), authentic, alias: null }
}

/** RFC 2181 §8: with the first bit set it counts as 0. */
function ttlOf(record: WireRecord): number {
  const ttl = 'ttl' in record ? (record.ttl ?? 0) : 0
  return ttl > 0x7fffffff ? 0 : Math.min(ttl, ttlMax)
}

function readRecord(type: RecordType, record: WireRecord): RecordOf[RecordType] {
  const data = (record as { data: unknown }).data
  if (type === 'TXT') return Buffer.concat(data as Buffer[]).toString('latin1')
  if (type === 'MX') {
    const { preference = 0, exchange } = data as { preference?: number; exchange: string }
    return { preference, exchange: withoutDot(exchange) }
  }
  if (type === 'TLSA') {
    const { usage, selector, matchingType, certificate } = data as {
      usage: number
      selector: number
      matchingType: number
      certificate: Buffer
    }
    return { usage, selector, matchingType, data: new Uint8Array(certificate) }
  }
  if (type === 'SOA') {
    const { mname, rname, serial, refresh, retry, expire, minimum } = data as Record<string, string | number>
    return [mname, rname, serial, refresh, retry, expire, minimum].join(' ')
  }
  return withoutDot(data as string)
}

function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}
