import type { Command } from 'commander'
import { ownAddress, readAddresses } from './addresses.ts'
import { type OutgoingFlags, readAttachments, readText, sendLetter } from './outgoing.ts'
import { withAgent } from './run.ts'

interface SendFlags extends OutgoingFlags {
  to: string[]
  cc?: string[]
  bcc?: string[]
  subject?: string
}

export function registerSend(program: Command): void {
  program
    .command('send')
    .description('write a letter; the text comes from -m or from standard input')
    .requiredOption('-t, --to <address...>', 'to whom')
    .option('--cc <address...>', 'who gets a copy')
    .option('--bcc <address...>', 'who gets a copy that nobody else learns of')
    .option('-s, --subject <text>', 'subject')
    .option('-m, --message <text>', 'the text')
    .option('-a, --attach <file...>', 'files to send along')
    .option('--follow', 'watch it on its way until it has arrived')
    .action((_flags: unknown, command: Command) =>
      withAgent<SendFlags>(command, async (work) => {
        const { flags, login } = work
        const letter = {
          from: ownAddress(login.address),
          to: readAddresses(flags.to),
          cc: readAddresses(flags.cc ?? []),
          bcc: readAddresses(flags.bcc ?? []),
          subject: flags.subject ?? '',
          attachments: readAttachments(flags.attach ?? []),
          text: await readText(flags),
          inReplyTo: null,
          references: [],
        }
        await sendLetter(work, letter)
      }),
    )
}
