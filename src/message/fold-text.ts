/**
 * Text in the form in which texts are compared: upper and lower case are one, and so are the ways to write a character.
 *
 * As RFC 5051 (i;unicode-casemap) has it: compatibility decomposition, then one case. It takes the full upper case where
 * the RFC takes the simple title case, so that "STRASSE" finds "straße"; unlike lower case it does not depend on what
 * stands beside a character (final sigma), so a piece of a text stays a piece of it when both are folded. A letter with a
 * mark begins with that letter, as in the RFC: "cafe" finds "café", "café" does not find "cafe".
 */
export function foldText(text: string): string {
  return (/[^\x00-\x7f]/.test(text) ? text.normalize('NFKD') : text).toUpperCase()
}
