/** Text as XML 1.0 carries it; what is no character of XML becomes a question mark. */
export function escapeXml(text: string): string {
  return text
    .replace(
      /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      '?',
    )
    .replace(/[&<>"'\r]/g, (char) => escapes.get(char)!)
}

const escapes = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
  // Else a reader would make a line feed of it.
  ['\r', '&#13;'],
])
