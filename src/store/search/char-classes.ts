/**
 * How a text is cut for the index. Letters, digits and marks of scripts that part their words make words; everything else
 * that is not ASCII (Chinese, Japanese, Thai, symbols, the halves of an emoji) is found by pairs of characters; blanks,
 * controls and ASCII punctuation stand between.
 *
 * Of ASCII letters and digits the class says which they are: 1 to 10 for digits, 11 to 36 for letters, in either case.
 */
export const separator = 0
export const lastDigitClass = 10
export const lastAsciiClass = 36
/** In a word, not of ASCII. */
export const wideChar = 37
export const gramChar = 38

/** Scripts written without spaces; with them the voicing marks of kana, which decomposition parts from their letters. */
const spaceless =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{sc=Yi}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}\p{sc=Tibetan}]|\p{Variation_Selector}/u

/** The class of each UTF-16 code unit; takes some milliseconds to make. */
export function makeCharClasses(): Uint8Array {
  const classes = new Uint8Array(65_536)
  for (let code = 0; code < classes.length; code++) classes[code] = classOf(code)
  return classes
}

function classOf(code: number): number {
  const char = String.fromCharCode(code)
  if (code < 128) return /[A-Za-z0-9]/.test(char) ? Number.parseInt(char, 36) + 1 : separator
  if (/\s/.test(char)) return separator
  if (code >= 0xd800 && code < 0xe000) return gramChar
  return /[\p{L}\p{N}\p{M}]/u.test(char) && !spaceless.test(char) ? wideChar : gramChar
}
