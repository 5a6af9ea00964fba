/** What an authoritative server says to one packet: a function from octets to octets. */
import {
  type Answer as WireRecord,
  AUTHENTIC_DATA,
  AUTHORITATIVE_ANSWER,
  decode,
  type DecodedPacket,
  encode,
  type Packet,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet'
import { isWithin, normaliseName } from './name.ts'
import { cnameChainMax, type NameRecords, recordTypes } from './records.ts'
import type { MxRecord, RecordType, TlsaRecord } from './resolver.ts'

/** Names that one authority answers for. */
export interface Zone {
  /** `hamburger.edu`, or `2.0.192.in-addr.arpa` for PTR. SOA and NS are made up when the origin has none. */
  readonly origin: string
  /** Full names in or under the origin. `servfail` answers so; `silent` does not answer at all. */
  readonly records: { readonly [name: string]: NameRecords | 'servfail' | 'silent' }
  /** Of every record, default 300. */
  readonly ttlSeconds?: number
}

export interface AnswerOptions {
  /** Of an answer to a client without EDNS; a longer one is cut to nothing and marked as truncated. */
  readonly octetsMax: number
  readonly authentic: boolean
}

/** What a client with EDNS may be sent over UDP without being cut into fragments, RFC 9715 §3. */
const ednsOctetsMax = 1_232
const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const

interface Found {
  readonly rcode: keyof typeof rcodes
  readonly answers: WireRecord[]
  readonly authorities: WireRecord[]
}

/** @returns Null for what deserves no answer: no packet, itself an answer, or a name that is to be silent. */
export function answerPacket(packet: Buffer, zones: readonly Zone[], options: AnswerOptions): Buffer | null {
  let query: DecodedPacket
  try {
    query = decode(packet)
  } catch {
    return null
  }
  if (query.flag_qr || query.questions === undefined) return null
  const edns = query.additionals?.find((record) => record.type === 'OPT')
  const found = answerQuestion(query, zones)
  if (found === null) return null
  const reply = (part: Found, truncated: boolean): Buffer =>
    encode({
      type: 'response',
      id: query.id ?? 0,
      flags:
        (found.rcode === 'REFUSED' ? 0 : AUTHORITATIVE_ANSWER) |
        (query.flag_rd ? RECURSION_DESIRED : 0) |
        (options.authentic ? AUTHENTIC_DATA : 0) |
        (truncated ? TRUNCATED_RESPONSE : 0) |
        rcodes[part.rcode],
      questions: query.questions ?? [],
      answers: part.answers,
      authorities: part.authorities,
      // RFC 6891 §6.1.1: OPT only to who sent one.
      additionals: edns === undefined ? [] : [optRecord],
    } as Packet)
  try {
    const whole = reply(found, false)
    const offered = edns?.type === 'OPT' ? Math.min(edns.udpPayloadSize, ednsOctetsMax) : 0
    if (whole.length <= Math.max(options.octetsMax, offered)) return whole
    // RFC 2181 §9: what is cut is marked, and asked for again over TCP.
    return reply({ rcode: found.rcode, answers: [], authorities: [] }, true)
  } catch {
    // A question that dns-packet reads but cannot write again (a strange class or type).
    return null
  }
}

const optRecord: WireRecord = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: ednsOctetsMax,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
}

function answerQuestion(query: DecodedPacket, zones: readonly Zone[]): Found | null {
  const nothing = { answers: [], authorities: [] }
  if ((query as { opcode?: string }).opcode !== 'QUERY') return { rcode: 'NOTIMP', ...nothing }
  const question = query.questions?.[0]
  if (question === undefined || query.questions?.length !== 1) return { rcode: 'FORMERR', ...nothing }
  const name = normaliseName(question.name)
  const zone = name === null ? null : zoneOf(name, zones)
  if (name === null || zone === null || question.class !== 'IN') return { rcode: 'REFUSED', ...nothing }
  return lookUp(name, question.type, zones)
}

/** RFC 1034 §4.3.2, without delegations and wildcards. */
function lookUp(question: string, type: string, zones: readonly Zone[]): Found | null {
  const answers: WireRecord[] = []
  let name = question
  for (let hops = 0; hops <= cnameChainMax; hops++) {
    const zone = zoneOf(name, zones)
    // An alias that leaves our zones: the asker follows it.
    if (zone === null) return { rcode: 'NOERROR', answers, authorities: [] }
    const records = recordsOf(name, zone)
    if (records === 'silent') return null
    if (records === 'servfail') return { rcode: 'SERVFAIL', answers: [], authorities: [] }
    if (records === null) return { rcode: 'NXDOMAIN', answers, authorities: [soaOf(zone)] }
    const found = wireRecords(name, records, type, zone)
    const alias = records.CNAME?.[0]
    if (found.length > 0 || alias === undefined) {
      // RFC 2308 §2.2: NODATA carries the SOA.
      return {
        rcode: 'NOERROR',
        answers: [...answers, ...found],
        authorities: found.length > 0 ? [] : [soaOf(zone)],
      }
    }
    answers.push(...wireRecords(name, records, 'CNAME', zone))
    name = normaliseName(alias) ?? alias
  }
  return { rcode: 'SERVFAIL', answers: [], authorities: [] }
}

/** The zone with the longest origin that the name is in. */
function zoneOf(name: string, zones: readonly Zone[]): Zone | null {
  let best: Zone | null = null
  for (const zone of zones) {
    const origin = normaliseName(zone.origin) ?? ''
    if (isWithin(name, origin) && (best === null || origin.length > best.origin.length)) best = zone
  }
  return best
}

/** Null when there is no such name. A name above an existing one exists, though empty (RFC 8020 §2). */
function recordsOf(name: string, zone: Zone): NameRecords | 'servfail' | 'silent' | null {
  let above = name === normaliseName(zone.origin)
  for (const [key, records] of Object.entries(zone.records)) {
    const other = normaliseName(key)
    if (other === name) return records
    if (other !== null && isWithin(other, name)) above = true
  }
  return above ? {} : null
}

function wireRecords(name: string, records: NameRecords, type: string, zone: Zone): WireRecord[] {
  const atOrigin = name === normaliseName(zone.origin)
  if (type === 'SOA' && atOrigin) return [soaOf(zone)]
  const known = recordTypes.find((each) => each === type)
  if (known === undefined || known === 'SOA') return []
  const ttl = zone.ttlSeconds ?? 300
  const own = records[known] ?? []
  const values = known === 'NS' && atOrigin && own.length === 0 ? [`ns.${zone.origin}`] : own
  return values.map(
    (value) => ({ type: known, name, ttl, class: 'IN', data: wireData(known, value) }) as WireRecord,
  )
}

function wireData(type: RecordType, value: string | MxRecord | TlsaRecord): unknown {
  if (typeof value === 'string') return type === 'TXT' ? characterStrings(value) : value
  if ('exchange' in value) {
    return { preference: value.preference, exchange: value.exchange === '' ? '.' : value.exchange }
  }
  const { usage, selector, matchingType, data } = value
  return { usage, selector, matchingType, certificate: Buffer.from(data) }
}

/** RFC 1035 §3.3: at most 255 octets each. @param text One char per octet. */
function characterStrings(text: string): Buffer[] {
  const octets = Buffer.from(text, 'latin1')
  const strings: Buffer[] = []
  for (let at = 0; at < octets.length || strings.length === 0; at += 255)
    strings.push(octets.subarray(at, at + 255))
  return strings
}

function soaOf(zone: Zone): WireRecord {
  const ttl = zone.ttlSeconds ?? 300
  return {
    type: 'SOA',
    name: normaliseName(zone.origin) ?? zone.origin,
    ttl,
    class: 'IN',
    data: {
      mname: `ns.${zone.origin}`,
      rname: `hostmaster.${zone.origin}`,
      serial: 1,
      refresh: 3_600,
      retry: 600,
      expire: 604_800,
      // How long a negative answer is kept, RFC 2308 §4.
      minimum: Math.min(ttl, 60),
    },
  }
}
