/**
 * How a text is cut for the index. Letters, digits and marks of scripts that part their words make words; everything else
 * that is not ASCII (Chinese, Japanese, Thai, symbols, the halves of an emoji) is found by pairs of characters; blanks,
 * controls and ASCII punctuation stand between.
 */
export const separator = 0
export const wordChar = 1
export const gramChar = 2

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
  if (code < 128) return /[A-Za-z0-9]/.test(char) ? wordChar : separator
  if (/\s/.test(char)) return separator
  if (code >= 0xd800 && code < 0xe000) return gramChar
  return /[\p{L}\p{N}\p{M}]/u.test(char) && !spaceless.test(char) ? wordChar : gramChar
}
