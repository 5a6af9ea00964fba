import type { FramedCommand } from './framing.ts'
import { parseDateTime } from './date.ts'
import { parseFlagList } from './flags.ts'
import { CommandReader } from './reader.ts'
import { decodeMailboxName } from './mailbox-name.ts'

/** APPEND, RFC 3501 §6.3.11. The message itself went elsewhere while it arrived. */
export interface AppendCommand {
  readonly name: 'APPEND'
  readonly mailbox: string
  readonly flags: number
  readonly keywords: readonly string[]
  /** Milliseconds since 1970; null: now. */
  readonly internalDate: number | null
  readonly octets: number
}

/** append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal */
export function parseAppend(reader: CommandReader): AppendCommand {
  const head = parseHead(reader)
  const octets = reader.literalOctets()
  if (octets === null) throw reader.fault('a literal')
  reader.end()
  return { name: 'APPEND', ...head, octets }
}

function parseHead(reader: CommandReader): Omit<AppendCommand, 'name' | 'octets'> {
  reader.space()
  const mailbox = decodeMailboxName(reader.astring())
  reader.space()
  const { flags, keywords } = reader.next === '(' ? parseFlagList(reader, false) : { flags: 0, keywords: [] }
  if (reader.next === ' ') reader.space()
  const date = reader.quoted()
  if (date !== null) reader.space()
  return { mailbox, flags, keywords, internalDate: date === null ? null : parseDateTime(date) }
}

/** Whether the literal that was announced behind this much of a command is the message of an APPEND. */
export function announcesMessage(command: FramedCommand): boolean {
  const reader = new CommandReader(command)
  try {
    reader.tag()
    reader.space()
    if (reader.atom().toUpperCase() !== 'APPEND') return false
    parseHead(reader)
    return reader.atEnd
  } catch {
    return false // whatever is wrong with it is said once the command is there
  }
}
