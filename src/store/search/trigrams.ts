/** Three characters of an opaque word as a small number. Texts are folded, so there are 36 letters and digits. */
const alphabet = 36
/** As the third character: the word ends. */
export const endDigit = 36

/** Trigrams that begin with the same two characters. */
const trigramsPerPair = 37
/** Trigrams are below it. */
export const trigramCount = alphabet * alphabet * trigramsPerPair

/** 0 to 35 for the code of an ASCII digit or letter. */
export function digitOf(code: number): number {
  return code < 58 ? code - 48 : (code & 0x5f) - 55
}

/** @param third A digit, or `endDigit`. */
export function trigramOf(first: number, second: number, third: number): number {
  return (first * alphabet + second) * trigramsPerPair + third
}

/** Of the characters from `at` on. */
export function trigramAt(text: string, at: number): number {
  return trigramOf(
    digitOf(text.charCodeAt(at)),
    digitOf(text.charCodeAt(at + 1)),
    digitOf(text.charCodeAt(at + 2)),
  )
}

/** Trigrams from the first up to the second begin with these two characters. */
export function trigramsOfPair(pair: string): readonly [number, number] {
  const first = trigramOf(digitOf(pair.charCodeAt(0)), digitOf(pair.charCodeAt(1)), 0)
  return [first, first + trigramsPerPair]
}
