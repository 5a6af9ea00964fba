/** Three characters of an opaque word as a small number. Texts are folded, so there are 36 letters and digits. */
const alphabet = 36
/** As the third character: the word ends. */
export const endDigit = 36

/** Trigrams that begin with the same two characters. */
const trigramsPerPair = 37
/** Trigrams are below it. */
export const trigramCount = alphabet * alphabet * trigramsPerPair

/** 0 to 35 for an ASCII digit or capital letter. */
export function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code < 58 ? code - 48 : code - 55
}

/** @param third A digit, or `endDigit`. */
export function trigramOf(first: number, second: number, third: number): number {
  return (first * alphabet + second) * trigramsPerPair + third
}

/** Of the characters from `at` on. */
export function trigramAt(text: string, at: number): number {
  return trigramOf(digitAt(text, at), digitAt(text, at + 1), digitAt(text, at + 2))
}

/** Trigrams from the first up to the second begin with these two characters. */
export function trigramsOfPair(pair: string): readonly [number, number] {
  const first = trigramOf(digitAt(pair, 0), digitAt(pair, 1), 0)
  return [first, first + trigramsPerPair]
}
