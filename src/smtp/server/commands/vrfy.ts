import { formatMailbox, type Mailbox } from '../../wire/path.ts'
import { refuse } from '../../wire/reply.ts'
import { parseVrfy } from '../../wire/vrfy.ts'
import { normaliseAddress } from '../../../store/address.ts'
import type { AddressMeaning } from '../../../store/accounts.ts'
import type { Command, Session } from '../session.ts'

/**
 * Says neither yes nor no, RFC 5321 §3.5.3: who wants to know writes a letter. Those who have logged in are told where
 * the operator wishes it.
 */
export const vrfy: Command = {
  verb: 'VRFY',
  phases: ['start', 'ready', 'envelope', 'recipients', 'chunks'],
  idle: true,

  async run(session, args) {
    const mailbox = parseVrfy(args, 'VRFY')
    const { inquiries } = session.options
    if (mailbox === null || inquiries.vrfy !== 'accounts' || session.account === null) {
      const text = 'Cannot verify, but will accept a message and attempt delivery'
      return { code: 252, status: '2.1.5', lines: [text] }
    }
    const meaning = await meaningOf(session, mailbox)
    // RFC 5321 §3.5.3: 252 for what is not ours to know.
    if (meaning.kind === 'remote')
      return { code: 252, status: '2.1.5', lines: ['Not an address of this server'] }
    if (meaning.kind === 'unknown') throw refuse(550, '5.1.1', 'No such user here')
    // RFC 6531 §3.7.4.2: in UTF-8, one char per octet as all replies.
    const address = Buffer.from(formatMailbox(mailbox), 'utf8').toString('latin1')
    return { code: 250, status: '2.1.5', lines: [`<${address}>`] }
  },
}

/** A name without a domain is one of the default domain. */
export async function meaningOf(session: Session, mailbox: Mailbox): Promise<AddressMeaning> {
  const { store, defaultDomain } = session.options
  const whole = mailbox.domain === '' ? { ...mailbox, domain: defaultDomain } : mailbox
  const address = normaliseAddress(formatMailbox(whole))
  return address === null ? { kind: 'unknown' } : store.resolveAddress(address)
}
