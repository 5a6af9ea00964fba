/** Where in a message a word stands. */
export type Scope = 'body' | 'header' | 'SUBJECT' | 'FROM' | 'TO' | 'CC' | 'BCC'

/** Stands before each word of the vocabulary, and in the keys of pairs of characters. `n` is taken. */
const letters: Readonly<Record<Scope, string>> = {
  ...{ body: 'b', header: 'h', SUBJECT: 's', FROM: 'f', TO: 't', CC: 'c', BCC: 'o' },
}

export function octetOf(scope: Scope): number {
  return letters[scope].charCodeAt(0)
}

/** Before names of header fields in the vocabulary. */
export const nameOctet = 'n'.charCodeAt(0)

const scopeOctets = Object.values(letters).map((letter) => letter.charCodeAt(0))

/** 0 to 6; -1 for the scope of names, whose words are other characters too. @param scope Its octet. */
export function shortIndexOf(scope: number): number {
  return scopeOctets.indexOf(scope)
}
