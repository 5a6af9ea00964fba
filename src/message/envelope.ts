import { ADDRESSES_IN_A_FIELD, type Address, parseAddressList } from './address.ts'
import { decodeEncodedWords } from './encoded-word.ts'
import { type HeaderField, fieldText } from './header.ts'

/**
 * What IMAP's ENVELOPE tells of a message, RFC 3501 §7.4.2. Strings are as in the header, unfolded, encoded words not
 * decoded; null when the field is absent, empty when it is there and empty.
 */
export interface Envelope {
  readonly date: string | null
  readonly subject: string | null
  readonly from: Address[]
  /** As From when the message has no Sender field or an empty one. */
  readonly sender: Address[]
  /** As From when the message has no Reply-To field or an empty one. */
  readonly replyTo: Address[]
  readonly to: Address[]
  readonly cc: Address[]
  readonly bcc: Address[]
  readonly inReplyTo: string | null
  readonly messageId: string | null
  /** Message identifiers of the References field, oldest first, with their angle brackets. */
  readonly references: string[]
}

/** Message identifiers of one field that are read. */
const MESSAGE_IDS = 1000

/** Addresses of each of From, Sender and Reply-To that are read whatever stands above: a letter has its author. */
const AUTHORS = 10

/** Fields that hold one value: RFC 5322 §3.6 allows each once, and the first counts. */
const TEXTS = {
  date: 'date',
  subject: 'subject',
  'in-reply-to': 'inReplyTo',
  'message-id': 'messageId',
} as const

const ADDRESSES = {
  from: 'from',
  sender: 'sender',
  'reply-to': 'replyTo',
  to: 'to',
  cc: 'cc',
  bcc: 'bcc',
} as const

type Draft = { -readonly [Key in keyof Envelope]: Envelope[Key] }

/**
 * Reads the envelope from a header.
 *
 * @param addressLimit Addresses at most, over all fields together; but a few authors always.
 */
export function makeEnvelope(
  fields: readonly HeaderField[],
  addressLimit: number = ADDRESSES_IN_A_FIELD,
): Envelope {
  const draft: Draft = {
    date: null,
    subject: null,
    from: [],
    sender: [],
    replyTo: [],
    to: [],
    cc: [],
    bcc: [],
    inReplyTo: null,
    messageId: null,
    references: [],
  }
  let left = addressLimit
  for (const field of fields) {
    // The longest name read here is In-Reply-To.
    if (field.name.length > 11) continue
    const name = field.name.toLowerCase()
    if (Object.hasOwn(ADDRESSES, name)) {
      const key = ADDRESSES[name as keyof typeof ADDRESSES]
      // RFC 5322 §4.5.3: several destination fields are read as one list.
      const several = key === 'to' || key === 'cc' || key === 'bcc'
      if (draft[key].length > 0 && !several) continue
      const room = several ? left : Math.max(left, AUTHORS)
      const list = parseAddressList(fieldText(field.value), Math.min(room, ADDRESSES_IN_A_FIELD))
      left -= list.length
      draft[key] = draft[key].length === 0 ? list : draft[key].concat(list)
    } else if (Object.hasOwn(TEXTS, name)) {
      draft[TEXTS[name as keyof typeof TEXTS]] ??= fieldText(field.value)
    } else if (name === 'references' && draft.references.length === 0) {
      draft.references = messageIds(fieldText(field.value))
    }
  }
  // RFC 3501 §7.4.2: the server gives From for a Sender or Reply-To that is absent or empty.
  if (draft.sender.length === 0) draft.sender = draft.from
  if (draft.replyTo.length === 0) draft.replyTo = draft.from
  return draft
}

/** Elements of all address lists of an envelope, defaulted ones not counted twice. */
export function countAddresses(envelope: Envelope): number {
  const lists = new Set([
    envelope.from,
    envelope.sender,
    envelope.replyTo,
    envelope.to,
    envelope.cc,
    envelope.bcc,
  ])
  let count = 0
  for (const list of lists) count += list.length
  return count
}

/** 1*msg-id, RFC 5322 §3.6.4, whatever stands between them; with their angle brackets, in order. */
export function messageIds(text: string): string[] {
  const ids: string[] = []
  // A quoted left side, RFC 5322 §4.5.4, is kept as it is: identifiers are compared, not understood.
  for (const match of text.matchAll(/<[^<>]+>/g)) {
    if (ids.length >= MESSAGE_IDS) break
    // RFC 5322 §4.5.4 allows CFWS inside, and a quoted left side. Identifiers are compared, not understood.
    const id = match[0]
    ids.push(/\s/.test(id) ? id.replace(/\([^()]*\)|\s+/g, '') : id)
  }
  return ids
}

/** Characters of a subject that are looked at; beyond that two threads may be taken for one. */
const SUBJECT_CHARS = 1000

/** subj-blob = "[" *BLOBCHAR "]" *WSP ; RFC 5256 §5 */
const BLOB = /^\[[^[\]]*\] */
/** subj-leader = (*subj-blob subj-refwd) / WSP, subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
const LEADER = /^(?:(?:\[[^[\]]*\] *)*(?:re|fwd?) *(?:\[[^[\]]*\] *)?:| )/i
/** subj-trailer = "(fwd)" / WSP */
const TRAILER = /(?:\(fwd\)| )$/i

function reduceSubject(subject: string): { base: string; reply: boolean } {
  // RFC 5256 §2.1 (1): decoded, and all white space made into single spaces.
  let base = decodeEncodedWords(subject.slice(0, SUBJECT_CHARS * 4))
    .replace(/\s+/g, ' ')
    .slice(0, SUBJECT_CHARS)
  let reply = false
  for (;;) {
    // (2)
    while (TRAILER.test(base)) {
      reply ||= base.endsWith(')')
      base = base.replace(TRAILER, '')
    }
    // (3) to (5)
    for (;;) {
      const leader = LEADER.exec(base)
      if (leader !== null) {
        reply ||= leader[0] !== ' '
        base = base.slice(leader[0].length)
        continue
      }
      const blob = BLOB.exec(base)
      if (blob === null || blob[0].length === base.length) break
      base = base.slice(blob[0].length)
    }
    // (6): subj-fwd = "[fwd:" subject "]"
    if (!/^\[fwd:.*\]$/i.test(base)) return { base, reply }
    reply = true
    base = base.slice(5, -1)
  }
}

/** The subject that replies and forwards share, RFC 5256 §2.1; compare without case. */
export function baseSubject(subject: string): string {
  return reduceSubject(subject).base
}

/** Whether the subject marks a reply or a forward, as RFC 5256 §3 asks in step 5. */
export function isReplySubject(subject: string): boolean {
  return reduceSubject(subject).reply
}
