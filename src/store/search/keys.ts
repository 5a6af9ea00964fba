/**
 * What the index says of a message it says by keys, numbers below 2^53: one for each word of the vocabulary in it, for
 * each trigram of its opaque words, and for each character that stands by itself and each pair of such neighbours.
 */
import { trigramCount } from './trigrams.ts'

/** Where opaque words are told apart: in the header, and below it. */
export const opaqueScopes = { header: 0, body: 1 } as const
export type OpaqueScope = keyof typeof opaqueScopes

/** Keys of trigrams are below it; those of words, from it on, below `firstGramKey`. */
export const firstWordKey = 2 * trigramCount
export const firstGramKey = 2 ** 32

export function keyOfTrigram(scope: OpaqueScope, trigram: number): number {
  return opaqueScopes[scope] * trigramCount + trigram
}

/** @param number Of the vocabulary. */
export function keyOfWord(number: number): number {
  return firstWordKey + number
}

/** @param scope Its octet. @param second Null: the character alone. */
export function keyOfGram(scope: number, first: number, second: number | null): number {
  return firstGramKey + (scope * 65_536 + first) * 65_537 + (second === null ? 0 : second + 1)
}
