/** From what a milter wants changed to what the door is told. */
import { ChangedMessage, fieldText } from '../changed-message.ts'
import type { FilterEnding } from '../filter.ts'
import { splitMessage } from '../head-and-body.ts'
import type { Modification } from './answer.ts'
import { MilterFault } from './packet.ts'
import { action } from './protocol.ts'

const permitted: Readonly<Record<Modification['kind'], number>> = {
  'add-header': action.addHeaders,
  'insert-header': action.addHeaders,
  'change-header': action.changeHeaders,
  body: action.changeBody,
  sender: action.changeSender,
  'add-recipient': action.addRecipients | action.addRecipientsWithParameters,
  'delete-recipient': action.deleteRecipients,
  quarantine: action.quarantine,
}

export function isPermitted(modification: Modification, actions: number): boolean {
  return (permitted[modification.kind] & actions) !== 0
}

/** Whether it can only be done by writing the message anew. Fields that are merely added go on top of it. */
function needsMessage({ kind }: Modification): boolean {
  return kind === 'change-header' || kind === 'body'
}

/**
 * @param message The whole message, when the milter may change it and it is not too large for that.
 * @param verbatim Values of fields bring their own space after the colon.
 * @throws {MilterFault} The message was too large to be kept for a change.
 */
export function makeEnding(
  modifications: readonly Modification[],
  message: Uint8Array | null,
  { headerOctets, verbatim }: { readonly headerOctets: number; readonly verbatim: boolean },
): FilterEnding {
  const anew = modifications.some(needsMessage)
    ? rewrite(modifications, message === null ? null : splitMessage(message, headerOctets), verbatim)
    : null
  const ending: { -readonly [K in keyof FilterEnding]: FilterEnding[K] } = {}
  const fields: string[] = []
  const added: string[] = []
  const removed: string[] = []
  for (const one of modifications) {
    if (one.kind === 'sender') ending.reversePath = one.path
    else if (one.kind === 'add-recipient') added.push(one.path)
    else if (one.kind === 'delete-recipient') removed.push(one.path)
    else if (one.kind === 'quarantine') ending.junk = one.reason
    else if (one.kind === 'insert-header' && anew === null)
      fields.unshift(fieldText(one.name, one.value, verbatim))
    else if (one.kind === 'add-header' && anew === null) fields.push(fieldText(one.name, one.value, verbatim))
  }
  if (anew !== null) ending.message = anew
  if (fields.length > 0) ending.fields = fields
  if (added.length > 0) ending.addRecipients = added
  if (removed.length > 0) ending.removeRecipients = removed
  return ending
}

function rewrite(
  modifications: readonly Modification[],
  parts: ReturnType<typeof splitMessage>,
  verbatim: boolean,
): Buffer {
  if (parts === null) throw new MilterFault('wants to change a message that was too large to be kept')
  const message = new ChangedMessage(parts.header, parts.separator, parts.body)
  const bodies: Buffer[] = []
  for (const one of modifications) {
    if (one.kind === 'body') bodies.push(one.octets)
    else if (one.kind === 'add-header')
      message.insert(Number.POSITIVE_INFINITY, fieldText(one.name, one.value, verbatim))
    // The milter counts our own Received field, which it has not seen and which stands above the message.
    else if (one.kind === 'insert-header')
      message.insert(Math.max(0, one.index - 1), fieldText(one.name, one.value, verbatim))
    else if (one.kind === 'change-header')
      message.change(one.name, one.index, one.value === '' ? null : fieldText(one.name, one.value, verbatim))
  }
  if (bodies.length > 0) message.replaceBody(wholeLines(Buffer.concat(bodies)))
  return message.octets()
}

/** A body must not bring in line ends that the door would have refused, RFC 5321 §2.3.8. */
function wholeLines(body: Buffer): Buffer {
  const text = body.toString('latin1')
  if (!/(?:^|[^\r])\n|\r(?!\n)/.test(text)) return body
  return Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n'), 'latin1')
}
