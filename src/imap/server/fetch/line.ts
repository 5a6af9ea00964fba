import { imapBody } from '../../../message/imap-structure.ts'
import { decodeStructure } from '../../../message/stored-structure.ts'
import type { MailboxIndex } from '../../../store/mailbox-index.ts'
import type { Email } from '../../../store/store.ts'
import type { FetchItem } from '../../wire/fetch.ts'
import { formatFlags } from '../../wire/flags.ts'
import { keywordsOf } from '../announce.ts'
import type { Selected } from '../selected.ts'
import type { OctetWriter } from './octet-writer.ts'

/** Flags without keywords, ready to write: 32 sets, then the same with \Recent. */
const flagTexts = Array.from({ length: 64 }, (_, set) => formatFlags(set & 31, [], set >= 32))

/** Writes `* n FETCH (` and all items that are no sections, parted by spaces. */
export function writeItems(
  writer: OctetWriter,
  selected: Selected,
  row: number,
  ghosts: number,
  items: readonly FetchItem[],
  email: Email | null,
): void {
  const { index } = selected
  writer.short('* ')
  writer.number(row + 1 + ghosts)
  writer.short(' FETCH (')
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!
    if (item.kind === 'section') return
    if (i > 0) writer.short(' ')
    if (email !== null && writeFromEmail(writer, item, email)) continue
    writeFromIndex(writer, selected, index, row, item)
  }
}

function writeFromIndex(
  writer: OctetWriter,
  selected: Selected,
  index: MailboxIndex,
  row: number,
  item: FetchItem,
): void {
  switch (item.kind) {
    case 'uid':
      writer.short('UID ')
      writer.number(index.uids[row]!)
      return
    case 'flags':
      writer.short('FLAGS ')
      writeFlags(writer, selected, row)
      return
    case 'internaldate':
      writer.short('INTERNALDATE ')
      writer.dateTime(index.internalDates[row]!)
      return
    case 'size':
      writer.short('RFC822.SIZE ')
      writer.number(index.sizes[row]!)
      return
  }
}

/** @returns Whether the item is one of those. */
function writeFromEmail(writer: OctetWriter, item: FetchItem, email: Email): boolean {
  switch (item.kind) {
    case 'envelope':
      writer.short('ENVELOPE ')
      writer.text(email.envelope)
      return true
    case 'bodystructure':
      writer.short('BODYSTRUCTURE ')
      writer.text(email.bodyStructure)
      return true
    case 'body':
      writer.short('BODY ')
      writer.text(imapBody(decodeStructure(email.structure).root))
      return true
    default:
      return false
  }
}

export function writeFlags(writer: OctetWriter, selected: Selected, row: number): void {
  const { flags, uids, keywords } = selected.index
  const recent = selected.isRecent(uids[row]!)
  if (keywords[row] === 0) writer.short(flagTexts[flags[row]! | (recent ? 32 : 0)]!)
  else writer.text(formatFlags(flags[row]!, keywordsOf(selected, row), recent))
}
