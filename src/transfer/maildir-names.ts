/** What the names in a Maildir tell: flags, folders, order. */
import { decodeModifiedUtf7, encodeMailboxName } from '../imap/wire/mailbox-name.ts'
import { flagBits } from '../store/store.ts'
import { flagsOfLetters, gatherKeywords, lettersOfFlags, type Marks } from './keywords.ts'

/** The letters of https://cr.yp.to/proto/maildir.html, which have to be sorted. `P`, passed, is a keyword with us. */
const letters = {
  D: flagBits['\\Draft'],
  F: flagBits['\\Flagged'],
  R: flagBits['\\Answered'],
  S: flagBits['\\Seen'],
  T: flagBits['\\Deleted'],
}
export const forwarded = '$Forwarded'
/** Dovecot's letters for the lines of dovecot-keywords. */
const keywordLetters = 'abcdefghijklmnopqrstuvwxyz'

/** The part of a file's name that stays the same whatever happens to its flags. */
export function uniqueName(file: string): string {
  return file.replace(/[:;!]2,.*$/, '')
}

/**
 * Reads the flags in a file's name. File systems that cannot have `:` have `;` or `!`.
 *
 * @param keywordNames From dovecot-keywords, by index.
 */
export function marksOfName(file: string, keywordNames: readonly string[]): Marks {
  const info = /[:;!]2,([A-Za-z]*)/.exec(file)?.[1] ?? ''
  const keywords = [...info].flatMap((letter) => keywordNames[keywordLetters.indexOf(letter)] ?? [])
  if (info.includes('P')) keywords.push(forwarded)
  return { flags: flagsOfLetters(info, letters), keywords: gatherKeywords(keywords) }
}

/**
 * @param keywordNames Of this folder's dovecot-keywords; those with a letter are told in the name.
 * @returns What follows the unique name.
 */
export function infoOf(marks: Marks, keywordNames: readonly string[]): string {
  const passed = marks.keywords.includes(forwarded) ? ['P'] : []
  const capitals = [...lettersOfFlags(marks.flags, letters), ...passed].sort().join('')
  const small = marks.keywords
    .filter((keyword) => keyword !== forwarded)
    .map((keyword) => keywordNames.indexOf(keyword))
    .filter((index) => index >= 0 && index < keywordLetters.length)
    .sort((a, b) => a - b)
    .map((index) => keywordLetters[index])
  return `:2,${capitals}${small.join('')}`
}

/** How many keywords of a folder have a letter. */
export const letteredKeywords = keywordLetters.length

/** keyword-line = index SP name LF */
export function parseKeywordFile(text: string): string[] {
  const names: string[] = []
  for (const [, index = '', name = ''] of text.matchAll(/^(\d{1,3}) (\S+)\r?$/gm)) names[Number(index)] = name
  return names
}

export function formatKeywordFile(names: readonly string[]): string {
  return names.map((name, index) => `${index} ${name}\n`).join('')
}

/** The mailbox of a Maildir++ folder such as `.Work.2024`. Dovecot writes modified UTF-7, others UTF-8. */
export function mailboxOfFolder(folder: string): string {
  return folder.slice(1).split('.').map(decodeElement).join('/')
}

/** One step of a mailbox's name, as a program may have written it into a folder's name. */
export function decodeElement(element: string): string {
  const decoded = element.includes('&') ? decodeModifiedUtf7(element) : null
  return decoded === null || decoded.includes('/') ? element : decoded
}

/** The Maildir++ folder of a mailbox; dots within a step, and `%`, become `%2E` and `%25`. */
export function folderOfMailbox(mailbox: string): string {
  const elements = mailbox.split('/').map((element) => {
    const safe = element.replace(/[%.\x00-\x1f\x7f-\x9f]/g, percent)
    return encodeMailboxName(safe.toWellFormed())
  })
  return `.${elements.join('.')}`
}

export function percent(char: string): string {
  return [...Buffer.from(char)]
    .map((octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('')
}

/** @returns What our own export calls a message. */
export function ownName(internalDate: number, uidValidity: number, uid: number): string {
  return `${Math.floor(internalDate / 1_000)}.V${uidValidity}U${uid}.posthorn`
}

/** The order of UIDs, of files that an export of ours has written. */
export function byUid(a: string, b: string): number {
  const uidOf = (name: string): number => Number(/^-?\d+\.V\d+U(\d+)\.posthorn/.exec(name)?.[1] ?? Infinity)
  const [uidA, uidB] = [uidOf(a), uidOf(b)]
  return uidA === uidB ? byArrival(a, b) : uidA < uidB ? -1 : 1
}

/** Names begin with the second of delivery, so that this is the order of arrival. */
export function byArrival(a: string, b: string): number {
  const [atA, atB] = [Number.parseInt(a, 10), Number.parseInt(b, 10)]
  if (atA !== atB && !Number.isNaN(atA) && !Number.isNaN(atB)) return atA - atB
  return a < b ? -1 : a > b ? 1 : 0
}
