/**
 * A dialogue as one text: for each piece of a `Spoken` its side, its microseconds, a space, its text and CRLF. No line has
 * a CRLF in it; a reply of several lines has, and its further lines (which begin with its code) stand as they were said.
 */
import type { Spoken, WireLine } from './event.ts'

export function packSpoken(spoken: Spoken): string {
  let text = ''
  for (let i = 0; i < spoken.length; i += 3) text += `${spoken[i]}${spoken[i + 1]} ${spoken[i + 2]}\r\n`
  return text
}

/** What packSpoken gave, line by line. */
export function unpackSpoken(text: string): WireLine[] {
  const lines: WireLine[] = []
  for (const line of text.split('\r\n')) {
    const [head, side, dtUs] = /^([CS])(\d+) /.exec(line) ?? []
    const before = lines.at(-1)
    if (head !== undefined)
      lines.push({ side: side as 'C' | 'S', text: line.slice(head.length), dtUs: Number(dtUs) })
    // A reply comes with a CRLF of its own.
    else if (line !== '' && before !== undefined) lines.push({ ...before, text: line })
  }
  return lines
}
