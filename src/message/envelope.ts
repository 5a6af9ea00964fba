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
  const authors = (before: Address[], value: string): Address[] =>
    before.length > 0 ? before : read(value, Math.max(left, AUTHORS))
  // RFC 5322 §4.5.3: several destination fields are read as one list.
  const destinations = (before: Address[], value: string): Address[] => {
    const list = read(value, left)
    return before.length === 0 ? list : before.concat(list)
  }
  const read = (value: string, most: number): Address[] => {
    const list = parseAddressList(fieldText(value), Math.min(most, ADDRESSES_IN_A_FIELD))
    left -= list.length
    return list
  }
  for (const { name, value } of fields) {
    // The longest name read here is In-Reply-To.
    if (name.length > 11) continue
    switch (name.toLowerCase()) {
      // RFC 5322 §3.6 allows each of those that hold one value once, and the first counts.
      case 'date':
        draft.date ??= fieldText(value)
        break
      case 'subject':
        draft.subject ??= fieldText(value)
        break
      case 'message-id':
        draft.messageId ??= fieldText(value)
        break
      case 'in-reply-to':
        draft.inReplyTo ??= fieldText(value)
        break
      case 'references':
        if (draft.references.length === 0) draft.references = messageIds(fieldText(value))
        break
      case 'from':
        draft.from = authors(draft.from, value)
        break
      case 'sender':
        draft.sender = authors(draft.sender, value)
        break
      case 'reply-to':
        draft.replyTo = authors(draft.replyTo, value)
        break
      case 'to':
        draft.to = destinations(draft.to, value)
        break
      case 'cc':
        draft.cc = destinations(draft.cc, value)
        break
      case 'bcc':
        draft.bcc = destinations(draft.bcc, value)
        break
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
  for (let at = text.indexOf('<'); at >= 0 && ids.length < MESSAGE_IDS; ) {
    const end = text.indexOf('>', at)
    if (end < 0) break
    const id = text.slice(text.lastIndexOf('<', end), end + 1)
    // RFC 5322 §4.5.4 allows CFWS inside, and a quoted left side. Identifiers are compared, not understood.
    if (id !== '<>') ids.push(/\s/.test(id) ? id.replace(/\([^()]*\)|\s+/g, '') : id)
    at = text.indexOf('<', end)
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
/** What begins with none of the leaders and blobs, and does not end like a trailer, has none of them. */
const ADDED = /^(?:[[ ]|re|fw)|[ )]$/i

/** What the subject of a reply shares with what it answers, and whether it has more, RFC 5256 §2.1. */
export interface ReducedSubject {
  /** Compare without case. */
  readonly base: string
  /** It marks a reply or a forward, as RFC 5256 §3 asks in step 5. */
  readonly reply: boolean
}

export function reduceSubject(subject: string): ReducedSubject {
  // RFC 5256 §2.1 (1): decoded, and all white space made into single spaces.
  const text = decodeEncodedWords(subject.slice(0, SUBJECT_CHARS * 4))
  let base = (/[^\S ]| {2}/.test(text) ? text.replace(/\s+/g, ' ') : text).slice(0, SUBJECT_CHARS)
  let reply = false
  // Most subjects are nothing but what they say.
  while (ADDED.test(base)) {
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
    if (!/^\[fwd:.*\]$/i.test(base)) break
    reply = true
    base = base.slice(5, -1)
  }
  return { base, reply }
}
