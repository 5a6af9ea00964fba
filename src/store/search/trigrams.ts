/** Three characters of an opaque word as a small number. Texts are folded, so there are 36 letters and digits. */
const alphabet = 36
/** As the third character: the word ends. */
const endDigit = 36
const thirds = 37

/** Trigrams that begin with one character. */
export const trigramsPerPiece = alphabet * thirds
/** Trigrams are below it. */
export const trigramCount = alphabet * trigramsPerPiece
export const pieceCount = alphabet

/** 0 to 35 for an ASCII digit or capital letter. */
function digitOf(code: number): number {
  return code < 58 ? code - 48 : code - 55
}

/** Of the characters from `at` on. @param atEnd There are only two: the word ends behind them. */
export function trigramAt(text: string, at: number, atEnd: boolean): number {
  const pair = digitOf(text.charCodeAt(at)) * alphabet + digitOf(text.charCodeAt(at + 1))
  return pair * thirds + (atEnd ? endDigit : digitOf(text.charCodeAt(at + 2)))
}

/** Trigrams from the first up to the second begin with these two characters. */
export function trigramsOfPair(pair: string): readonly [number, number] {
  const first = trigramAt(pair, 0, true) - endDigit
  return [first, first + thirds]
}
