/** Where in a message a word stands. Each scope has a letter for words and one for the trigrams of opaque words. */
export type Scope = 'body' | 'header' | 'SUBJECT' | 'FROM' | 'TO' | 'CC' | 'BCC'

interface Letters {
  readonly word: number
  readonly trigram: number
  /** Stands before pairs of characters, which have no number. */
  readonly gram: string
}

const letters = (word: string, trigram: string): Letters => ({
  word: word.charCodeAt(0),
  trigram: trigram.charCodeAt(0),
  gram: word,
})

/** `v` and `n` are taken: by numbers of words, and by names of header fields. */
export const scopes: Readonly<Record<Scope, Letters>> = {
  body: letters('b', 'i'),
  header: letters('h', 'j'),
  SUBJECT: letters('s', 'k'),
  FROM: letters('f', 'l'),
  TO: letters('t', 'm'),
  CC: letters('c', 'p'),
  BCC: letters('o', 'q'),
}

/** Scope of the names of header fields in the vocabulary. */
export const nameScope = 'n'.charCodeAt(0)

/** The index's term for a word of the vocabulary. */
export function termOfWord(id: number): string {
  return `v${id.toString(36)}`
}

/** The index's term for one character that stands by itself, or for two neighbours. */
export function termOfGram(scope: Scope, first: number, second: number | null): string {
  return `${scopes[scope].gram}${base36(first)}${second === null ? '' : base36(second)}`
}

function base36(code: number): string {
  return code.toString(36).padStart(4, '0')
}
