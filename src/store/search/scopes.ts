/** Where in a message a word stands. */
export type Scope = 'body' | 'header' | 'SUBJECT' | 'FROM' | 'TO' | 'CC' | 'BCC'

/** Stands before each word of the vocabulary, and in the index before pairs of characters. `v` and `n` are taken. */
const letters: Readonly<Record<Scope, string>> = {
  ...{ body: 'b', header: 'h', SUBJECT: 's', FROM: 'f', TO: 't', CC: 'c', BCC: 'o' },
}

export function octetOf(scope: Scope): number {
  return letters[scope].charCodeAt(0)
}

/** Before names of header fields in the vocabulary. */
export const nameOctet = 'n'.charCodeAt(0)

/** The index's term for a word of the vocabulary. */
export function termOfWord(id: number): string {
  return `v${id.toString(32)}`
}

/** The index's term for one character that stands by itself, or for two neighbours. */
export function termOfGram(scope: Scope, first: number, second: number | null): string {
  return `${letters[scope]}${base32(first)}${second === null ? '' : base32(second)}`
}

function base32(code: number): string {
  return code.toString(32).padStart(4, '0')
}
