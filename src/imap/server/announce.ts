/** Untagged responses about what has changed in the selected mailbox, RFC 3501 §5.2, §5.5 and §7.4. */
import { formatFlags, systemFlags } from '../wire/flags.ts'
import type { Selected } from './selected.ts'
import type { Session } from './session.ts'

/** Octets that are gathered before others get their turn. */
const pieceOctets = 32_768

/**
 * Tells what the session does not know yet: flags, then what is gone, then what has come.
 *
 * @param expunges Whether EXPUNGE may be said: not behind FETCH, STORE and SEARCH, and never between commands.
 */
export async function announce(session: Session, expunges: boolean): Promise<void> {
  const { selected, dialogue } = session
  if (selected === null || dialogue.closed) return
  tellKeywords(session, selected)
  await tellPieces(session, selected.takeChanged(), (uid) => formatFlagsLine(selected, uid))
  if (expunges) await tellPieces(session, selected.takeExpunged(), (number) => `* ${number} EXPUNGE\r\n`)
  if (selected.takeArrivals()) {
    dialogue.write(`* ${selected.count} EXISTS\r\n* ${selected.recentCount} RECENT\r\n`)
  }
}

/** A new keyword makes the list of flags longer, RFC 3501 §7.2.6. */
function tellKeywords(session: Session, selected: Selected): void {
  const keywords = selected.takeNewKeywords()
  if (keywords !== null) session.dialogue.write(formatFlagLists(selected))
}

/** FLAGS and PERMANENTFLAGS, RFC 3501 §7.2.6 and §7.1. */
export function formatFlagLists({ index, readOnly }: Selected): string {
  const names = [...systemFlags, ...index.keywordNames].join(' ')
  // \*: keywords may be made up, while there is room for them.
  const room = index.keywordNames.length < 32 ? ' \\*' : ''
  const permanent = readOnly ? '()' : `(${names}${room})`
  return `* FLAGS (${names})\r\n* OK [PERMANENTFLAGS ${permanent}] ${readOnly ? 'Read-only mailbox' : 'Flags that are kept'}\r\n`
}

/** The keywords of one row. */
export function keywordsOf(selected: Selected, row: number): string[] {
  const bits = selected.index.keywords[row]!
  return bits === 0 ? [] : selected.index.keywordNames.filter((_name, bit) => ((bits >>> bit) & 1) === 1)
}

/** '' when the message has gone meanwhile. */
function formatFlagsLine(selected: Selected, uid: number): string {
  const row = selected.index.rowOf(uid)
  if (row < 0) return ''
  const list = formatFlags(selected.index.flags[row]!, keywordsOf(selected, row), selected.isRecent(uid))
  // The UID is there for whom uses UIDs, RFC 3501 §6.4.8.
  return `* ${selected.sequenceNumber(row)} FETCH (UID ${uid} FLAGS ${list})\r\n`
}

async function tellPieces(
  session: Session,
  numbers: number[],
  format: (number: number) => string,
): Promise<void> {
  let text = ''
  for (const number of numbers) {
    text += format(number)
    if (text.length < pieceOctets) continue
    session.dialogue.write(text)
    text = ''
    await session.dialogue.breathe()
  }
  if (text !== '') session.dialogue.write(text)
}
