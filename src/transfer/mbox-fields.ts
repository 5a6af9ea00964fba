/**
 * The header fields in which programs keep what they know about a message in an mbox. They are none of the message's
 * own: reading takes them out, writing puts them on top. A message that has such a field of its own gets it back.
 *
 * `Status` and `X-Status` are as in mutt, Dovecot and python; `X-Keywords` as in Dovecot; `X-Mozilla-*` are Thunderbird's.
 */
import { isFieldLine } from '../message/header.ts'
import { flagBits } from '../store/store.ts'
import { flagsOfLetters, gatherKeywords, lettersOfFlags, type Marks } from './keywords.ts'

const statusLetters = { R: flagBits['\\Seen'] }
const xStatusLetters = {
  A: flagBits['\\Answered'],
  F: flagBits['\\Flagged'],
  T: flagBits['\\Draft'],
  D: flagBits['\\Deleted'],
}
/** nsMsgMessageFlags: read, replied, marked. */
const mozillaBits = [
  [0x1, flagBits['\\Seen']],
  [0x2, flagBits['\\Answered']],
  [0x4, flagBits['\\Flagged']],
] as const
const mozillaExpunged = 0x8
const mozillaForwarded = 0x1000

/** Our own: how the message differs from what can be told in an mbox. */
const shapeField = 'X-Posthorn-Shape'
/** Before the name of a field that only looks like one of these. */
const keptPrefix = 'X-Posthorn-Kept-'
const names = `status|x-status|x-keywords|x-uid|x-imap|x-imapbase|x-mozilla-status2?|x-mozilla-keys|${shapeField}`
const ownPattern = new RegExp(`^(?:${names})[ \\t]*:`, 'i')
const keptPattern = new RegExp(`^((?:${keptPrefix})*)(?:${names})[ \\t]*:`, 'i')
/** One look at a header tells nearly always that there is nothing to do. */
const anyPattern = new RegExp(`^(?:${keptPrefix})*(?:${names})[ \\t]*:`, 'im')

/** What was written into a message's header for the mbox, gathered while the header passes. */
export class MboxFields {
  readonly #values = new Map<string, string>()
  #dropping = false

  /**
   * Takes the fields out of some lines of the header.
   *
   * @param lines One char per octet, whole lines.
   * @returns What is left, of the same kind.
   */
  takeFrom(lines: string): string {
    if (!this.#dropping && !anyPattern.test(lines)) return lines
    let kept = ''
    for (const line of wholeLines(lines)) {
      if (/^[ \t]/.test(line)) {
        if (!this.#dropping) kept += line
        continue
      }
      this.#dropping = ownPattern.test(line)
      if (this.#dropping) this.#note(line)
      else kept += keptPattern.test(line) ? line.slice(keptPrefix.length) : line
    }
    return kept
  }

  #note(line: string): void {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim().toLowerCase()
    // The first one counts: ours stand above what a message brings along.
    if (!this.#values.has(name)) this.#values.set(name, line.slice(colon + 1).trim())
  }

  #get(name: string): string {
    return this.#values.get(name) ?? ''
  }

  get marks(): Marks {
    const mozilla = Number.parseInt(this.#get('x-mozilla-status'), 16) || 0
    let flags = flagsOfLetters(this.#get('status'), statusLetters)
    flags |= flagsOfLetters(this.#get('x-status'), xStatusLetters)
    for (const [theirs, ours] of mozillaBits) if ((mozilla & theirs) !== 0) flags |= ours
    const keywords = `${this.#get('x-keywords')} ${this.#get('x-mozilla-keys')}`.split(/\s+/)
    if ((mozilla & mozillaForwarded) !== 0) keywords.push('$Forwarded')
    return { flags, keywords: gatherKeywords(keywords) }
  }

  /** What some programs leave in a file although it is no message, in words; null for a message. */
  get noMessage(): string | null {
    const mozilla = Number.parseInt(this.#get('x-mozilla-status'), 16) || 0
    if ((mozilla & mozillaExpunged) !== 0) return 'deleted in Thunderbird, not compacted'
    // UW-IMAP and Alpine keep the mailbox's own data in a first message that people are told not to delete.
    return this.#values.has('x-imap') ? 'data of UW-IMAP about the mailbox' : null
  }

  get shape(): Shape {
    const words = this.#get(shapeField.toLowerCase()).split(', ')
    return { headerless: words.includes('headerless'), unterminated: words.includes('unterminated') }
  }
}

/** How a message differs from what an mbox can tell. */
export interface Shape {
  /** Its first line is neither a field nor empty: all of it is body. */
  readonly headerless: boolean
  /** Its last line has no end. */
  readonly unterminated: boolean
}

/**
 * The lines to write above a message.
 *
 * @returns With LF; an empty line follows when the message has no header.
 */
export function formatMboxFields(marks: Marks, shape: Shape): string {
  const words = [...(shape.headerless ? ['headerless'] : []), ...(shape.unterminated ? ['unterminated'] : [])]
  const xStatus = lettersOfFlags(marks.flags, xStatusLetters)
  const lines = [
    // O: not new any more. Without it some programs move the message.
    `Status: ${lettersOfFlags(marks.flags, statusLetters)}O`,
    ...(xStatus === '' ? [] : [`X-Status: ${xStatus}`]),
    ...(marks.keywords.length === 0 ? [] : [`X-Keywords: ${marks.keywords.join(' ')}`]),
    ...(words.length === 0 ? [] : [`${shapeField}: ${words.join(', ')}`]),
  ]
  return `${lines.join('\n')}\n${shape.headerless ? '\n' : ''}`
}

/** Renames what a message's own header has of these fields. @param lines Whole lines of it. */
export function keepOwnFields(lines: string): string {
  if (!anyPattern.test(lines)) return lines
  return wholeLines(lines)
    .map((line) => (keptPattern.test(line) ? keptPrefix + line : line))
    .join('')
}

/** Whether a message begins with a header, be it an empty one. @param lines Its first lines, one char per octet. */
export function beginsWithHeader(lines: string): boolean {
  const end = lines.indexOf('\n')
  const first = end < 0 ? lines : lines.slice(0, end)
  return first === '' || first === '\r' ? end >= 0 : isFieldLine(first)
}

/**
 * Where the header ends in some whole lines: behind the empty line.
 *
 * @returns -1 when there is no empty line.
 */
export function headerEnd(lines: Buffer): number {
  if (lines[0] === 10) return 1
  if (lines[0] === 13 && lines[1] === 10) return 2
  const plain = lines.indexOf('\n\n')
  const crlf = lines.indexOf('\n\r\n')
  if (plain < 0 && crlf < 0) return -1
  return crlf >= 0 && (plain < 0 || crlf < plain) ? crlf + 3 : plain + 2
}

function wholeLines(lines: string): string[] {
  return lines.match(/[^\n]*\n|[^\n]+$/g) ?? []
}
