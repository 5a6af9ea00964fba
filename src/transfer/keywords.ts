import { flagBits } from '../store/store.ts'

/** What a message is marked with, whatever a format calls it. */
export interface Marks {
  /** Sum of `flagBits`. */
  readonly flags: number
  readonly keywords: readonly string[]
}

/** IMAP's bound on a keyword's length: it is kept with its mailbox for ever. */
const keywordOctets = 200
/** flag-keyword = atom, RFC 3501 §9: no controls, space, `(){%*"\]`. */
const keywordPattern = /^[!#$&'+-[^-z|}~]+$/

/** Whether a word from a file can be a keyword of ours. */
export function isKeyword(word: string): boolean {
  return word.length <= keywordOctets && keywordPattern.test(word) && !/[\\\]{}]/.test(word)
}

/** Each once, whatever its case; the first spelling stays. */
export function gatherKeywords(words: readonly string[]): string[] {
  const found = new Map<string, string>()
  for (const word of words) {
    if (isKeyword(word) && !found.has(word.toLowerCase())) found.set(word.toLowerCase(), word)
  }
  return [...found.values()]
}

/** Letters that stand for flags, as several formats have them. */
export function flagsOfLetters(letters: string, meaning: Readonly<Record<string, number>>): number {
  let flags = 0
  for (const letter of letters) flags |= meaning[letter] ?? 0
  return flags
}

/** In the order of `meaning`. */
export function lettersOfFlags(flags: number, meaning: Readonly<Record<string, number>>): string {
  return Object.entries(meaning)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([letter]) => letter)
    .join('')
}

/** Names with a backslash, as IMAP writes them; others are passed over. */
export function flagsOfNames(names: readonly string[]): number {
  const bits: Readonly<Record<string, number>> = flagBits
  return names.reduce((flags, name) => flags | (bits[name] ?? 0), 0)
}

export function namesOfFlags(flags: number): string[] {
  return Object.entries(flagBits)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name)
}

export const allFlags = Object.values(flagBits).reduce((sum, bit) => sum | bit, 0)
