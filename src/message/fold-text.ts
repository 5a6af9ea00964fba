/**
 * Text in the form in which texts are compared: upper and lower case are one, and so are the ways to write a character.
 *
 * Close to RFC 5051 (i;unicode-casemap), with two differences. It takes the full upper case where the RFC takes the simple
 * title case, so that "STRASSE" finds "straße"; and it composes where the RFC decomposes, so that a letter with a mark is
 * another letter wherever in the needle it stands: "cafe" does not find "café", as "crepe" does not find "crêpe". Upper
 * case, unlike lower case, does not depend on what stands beside a letter (final sigma): a piece of a text stays one.
 */
export function foldText(text: string): string {
  if (!/[^\x00-\x7f]/.test(text)) return text.toUpperCase()
  // Some letters have no capital of one character, which has to be composed again: U+0390.
  return text.normalize('NFKC').toUpperCase().normalize('NFC')
}
