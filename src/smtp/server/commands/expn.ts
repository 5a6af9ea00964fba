import { refuse } from '../../wire/reply.ts'
import { parseVrfy } from '../../wire/vrfy.ts'
import type { Command } from '../session.ts'
import { meaningOf } from './vrfy.ts'

/** Members shown: a reply has a bound as a request has. */
const membersMax = 100

/** Who is behind an alias, RFC 5321 §3.5.2: nobody's business (§7.3) but of those who have logged in, where it is wished. */
export const expn: Command = {
  verb: 'EXPN',
  phases: ['start', 'ready', 'envelope', 'recipients', 'chunks'],
  idle: true,

  async run(session, args) {
    if (!session.options.inquiries.expn || session.account === null)
      throw refuse(502, '5.5.1', 'EXPN is not offered here')
    const mailbox = parseVrfy(args, 'EXPN')
    const meaning = mailbox === null ? null : await meaningOf(session, mailbox)
    if (meaning?.kind !== 'alias') throw refuse(550, '5.1.1', 'No such list here')
    const members = meaning.targets.slice(0, membersMax)
    return { code: 250, status: '2.1.5', lines: members.map((member) => `<${member}>`) }
  },
}
