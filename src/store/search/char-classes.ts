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
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{sc=Yi}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}\p{sc=Tibetan}\p{Variation_Selector}]+/gu
/** Each goes before those above it. */
const kinds: readonly (readonly [RegExp, number])[] = [
  [/[\p{L}\p{N}\p{M}]+/gu, wideChar],
  [spaceless, gramChar],
  [/\s+/g, separator],
]

/** The class of each UTF-16 code unit. Runs of units of one kind are looked for: to ask of each one takes ten times longer. */
export function makeCharClasses(): Uint8Array {
  const classes = new Uint8Array(65_536).fill(gramChar)
  // The halves of a pair would be taken together.
  let all = ''
  for (let code = 0; code < classes.length; code++)
    all += code >= 0xd800 && code < 0xe000 ? ' ' : String.fromCharCode(code)
  for (const [runs, kind] of kinds)
    for (const { 0: run, index } of all.matchAll(runs)) classes.fill(kind, index, index + run.length)
  classes.fill(separator, 0, 128)
  for (const char of '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
    classes[char.charCodeAt(0)] = Number.parseInt(char, 36) + 1
  classes.fill(gramChar, 0xd800, 0xe000)
  return classes
}
