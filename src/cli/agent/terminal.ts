/** What the user agent's commands share in what they print. */

/** Text from a stranger's message, made harmless for a terminal: no control character reaches it but line feed and tab. */
export function printable(text: string): string {
  // Bidirectional controls could make a line read as another one.
  return text
    .replace(/\r\n/g, '\n')
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** One line of it. */
export function printableLine(text: string): string {
  return printable(text.replace(/[\r\n\t]+/g, ' '))
}

/** Cut to a width in characters, with an ellipsis where something is missing. */
export function fit(text: string, width: number): string {
  const chars = [...text]
  if (chars.length <= width) return text + ' '.repeat(width - chars.length)
  return `${chars.slice(0, width - 1).join('')}…`
}

export function formatOctets(octets: number): string {
  if (octets < 1_000) return `${octets} B`
  if (octets < 1_000_000) return `${(octets / 1_000).toFixed(octets < 10_000 ? 1 : 0)} kB`
  return `${(octets / 1_000_000).toFixed(octets < 10_000_000 ? 1 : 0)} MB`
}

export async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
