/** The lines of one dialogue, taken from a journey's events and cut into the lecture's three phases. */
import type { EventData, WireLine } from '../../journey/event.ts'

/** RFC 5321 calls them session initiation, mail transactions and session termination (§3.1, §3.3, §3.8). */
export interface Phases {
  readonly handshaking: readonly WireLine[]
  readonly transfer: readonly WireLine[]
  readonly closure: readonly WireLine[]
}

export function linesOf(data: EventData): WireLine[] {
  const { lines } = data
  if (!Array.isArray(lines)) return []
  return lines.flatMap((line) => {
    if (typeof line !== 'object' || line === null) return []
    const { side, text, dtUs } = line as Partial<WireLine>
    if ((side !== 'C' && side !== 'S') || typeof text !== 'string') return []
    return [{ side, text, dtUs: typeof dtUs === 'number' ? dtUs : 0 }]
  })
}

/** The transfer begins with MAIL (after the RSET that may stand before it), the closure with QUIT. */
export function cutPhases(lines: readonly WireLine[]): Phases {
  const isCommand = (verb: RegExp) => (line: WireLine) => line.side === 'C' && verb.test(line.text)
  let quit = lines.findLastIndex(isCommand(/^QUIT\b/i))
  if (quit < 0) quit = lines.length
  let mail = lines.findIndex(isCommand(/^MAIL\b/i))
  if (mail < 0) mail = quit
  const begins = mail >= 2 && isCommand(/^RSET\b/i)(lines[mail - 2]!) ? mail - 2 : mail
  return {
    handshaking: lines.slice(0, begins),
    transfer: lines.slice(begins, quit),
    closure: lines.slice(quit),
  }
}

/**
 * Whether two sides tell the same. Each side's lines are compared for themselves, since with PIPELINING (RFC 2920) the
 * two ends see them interleaved differently; message lines are left out, which each end counts in its own way.
 */
export function isSameDialogue(one: readonly WireLine[], other: readonly WireLine[]): boolean {
  return (['C', 'S'] as const).every((side) => {
    const [left, right] = [one, other].map((lines) =>
      lines.filter((line) => line.side === side && !line.text.startsWith('(')).map(({ text }) => text),
    )
    return left!.length === right!.length && left!.every((text, index) => text === right![index])
  })
}
