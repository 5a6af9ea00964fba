import type { Command } from 'commander'
import { scanMessage } from '../../message/scan.ts'
import { plainTextOf } from '../../message/text.ts'
import { ownAddress } from './addresses.ts'
import { listedMessage } from './listing.ts'
import { type OutgoingFlags, readAttachments, readText, sendLetter } from './outgoing.ts'
import { withAgent } from './run.ts'

interface ReplyFlags extends OutgoingFlags {
  all?: boolean
}

export function registerReply(program: Command): void {
  program
    .command('reply')
    .description(
      'answer a message; the text comes from -m or from standard input, the original is quoted below',
    )
    .argument('<number>', 'number of the last listing')
    .option('-m, --message <text>', 'the text')
    .option('-a, --attach <file...>', 'files to send along')
    .option('--all', 'to everybody who got it')
    .option('--follow', 'watch it on its way until it has arrived')
    .action((number: string, _flags: unknown, command: Command) =>
      withAgent<ReplyFlags>(command, async (work) => {
        // It brings nodemailer along, which a server would otherwise load too.
        const { replyDraft } = await import('../../message/compose.ts')
        const { agent, flags, login } = work
        const key = listedMessage(login.address, number)
        const octets = await agent.read(key, { markSeen: true })
        const scan = scanMessage(octets)
        const original = { envelope: scan.envelope, text: plainTextOf(octets, scan.root) }
        const letter = replyDraft(
          original,
          await readText(flags),
          ownAddress(login.address),
          flags.all === true,
        )
        await sendLetter(work, { ...letter, attachments: readAttachments(flags.attach ?? []) })
        await agent.setFlag(key, '\\Answered')
      }),
    )
}
