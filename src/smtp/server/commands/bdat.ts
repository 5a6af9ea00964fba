import { parseBdat } from '../../wire/bdat.ts'
import { Refusal, refuse } from '../../wire/reply.ts'
import { IncomingMessage } from '../incoming.ts'
import type { Answer, Command, Session } from '../session.ts'

/** Brings a piece of the message, RFC 3030 §2. A piece that is refused is read all the same, and thrown away. */
export const bdat: Command = {
  verb: 'BDAT',
  phases: ['start', 'ready', 'envelope', 'recipients', 'chunks'],

  async run(session, args): Promise<Answer> {
    let chunk: ReturnType<typeof parseBdat>
    try {
      chunk = parseBdat(args)
    } catch (error) {
      // What follows would be taken for commands.
      if (error instanceof Refusal) return { reply: error.reply, next: 'close' }
      throw error
    }
    const { octets, last } = chunk
    if (octets > 2 * session.messageOctets) {
      const { reply } = refuse(552, '5.3.4', 'Message size exceeds fixed maximum message size')
      return { reply, next: 'close' }
    }
    try {
      const message = await messageFor(session)
      const reply = { code: 250, status: '2.0.0', lines: [`${octets} octets received`] }
      return { reply, next: 'chunk', chunk: { octets, last, message } }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.reply.code === 421) return { reply: error.reply, next: 'close' }
      return { reply: error.reply, next: 'chunk', chunk: { octets, last, message: null } }
    }
  },
}

/** @throws {Refusal} */
async function messageFor(session: Session): Promise<IncomingMessage> {
  if (session.phase === 'chunks' && session.incoming !== null) return session.incoming
  if (session.phase === 'start') throw refuse(503, '5.5.1', 'Say EHLO first')
  if (!session.extended) throw refuse(503, '5.5.1', 'Say EHLO first: HELO knows no BDAT')
  if (session.phase === 'ready') throw refuse(503, '5.5.1', 'Say MAIL first')
  if (session.recipients.length === 0) throw refuse(503, '5.5.1', 'No valid recipients')
  const waiting = session.filters.ask('data')
  if (waiting !== undefined) await waiting
  session.phase = 'chunks'
  session.incoming = new IncomingMessage(session)
  return session.incoming
}
