import type { MailboxIndex } from '../../../store/mailbox-index.ts'
import { ok, refuse } from '../../wire/refusal.ts'
import { formatFlagLists } from '../announce.ts'
import { Selected } from '../selected.ts'
import type { Answer, Handlers, Session } from '../session.ts'

/** Turns of the event loop; the writer's answer is on its way already. */
const turnsMax = 100

/** RFC 3501 §6.3.1. */
export const select: Handlers['SELECT'] = {
  state: 'authenticated',

  run: (session, command) => open(session, command),
}

/** RFC 3501 §6.3.2. */
export const examine: Handlers['EXAMINE'] = {
  state: 'authenticated',

  run: (session, command) => open(session, command),
}

async function open(
  session: Session,
  command: { readonly name: 'SELECT' | 'EXAMINE'; readonly mailbox: string },
): Promise<Answer> {
  const { store } = session.options
  // RFC 3501 §6.3.1: whatever was selected is left, also when this fails.
  session.deselect()
  const mailbox = await store.findMailbox(session.accountId, command.mailbox)
  if (mailbox === null) throw refuse('NONEXISTENT', 'No such mailbox')
  const index = await store.loadIndex(session.accountId, mailbox.mailboxId)
  await upToDate(session, index, command.mailbox)
  if (session.dialogue.closed) {
    index.release()
    throw refuse(null, 'Connection closed')
  }
  const readOnly = command.name === 'EXAMINE'
  const selected = new Selected({ index, mailbox: command.mailbox, readOnly, shared: session.shared })
  session.select(selected)
  tellMailbox(session, selected)
  return ok(readOnly ? 'Opened for reading' : 'Opened', readOnly ? 'READ-ONLY' : 'READ-WRITE')
}

/**
 * Waits until the index knows every change that was there to be loaded with it: a removal that it learnt of only afterwards
 * would be taken for one of a message that this session had seen.
 */
async function upToDate(session: Session, index: MailboxIndex, name: string): Promise<void> {
  for (let turn = 0; turn < turnsMax; turn++) {
    const mailbox = await session.options.store.findMailbox(index.accountId, name)
    if (mailbox?.mailboxId !== index.mailboxId || mailbox.highestModseq <= index.highestModseq) return
    await session.dialogue.breathe()
  }
}

/** The responses that RFC 3501 §6.3.1 requires. */
function tellMailbox(session: Session, selected: Selected): void {
  const { index } = selected
  const unseen = selected.firstUnseen()
  const lines = [
    `* ${selected.count} EXISTS`,
    `* ${selected.recentCount} RECENT`,
    ...(unseen === null ? [] : [`* OK [UNSEEN ${unseen}] First message not read`]),
    `* OK [UIDVALIDITY ${index.uidValidity}] UIDs hold`,
    `* OK [UIDNEXT ${index.uidNext}] Next UID`,
  ]
  session.dialogue.write(`${formatFlagLists(selected)}${lines.join('\r\n')}\r\n`)
}
