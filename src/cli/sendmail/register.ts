import type { Command } from 'commander'

/** For the help only: main.ts takes the command before its arguments are read in our way. */
export function registerSendmail(program: Command): void {
  program
    .command('sendmail')
    .description('send a message from standard input, as programs call sendmail')
    .usage('[-t] [-i] [-f sender] [-F name] [-N notify] [-R return] [-V envid] [--] [recipient...]')
    .addHelpText(
      'after',
      `
  -t          also to whom To, Cc and Bcc name
  -i, -oi     a line with a dot alone does not end the message
  -f, -r      the sender; without a domain it is of the server's first one; '<>' for none
  -F          full name for a From field that is missing
  -bp         show the queue

Other options of sendmail are taken and mean nothing. Exit codes are those of sysexits.h:
64 wrong use, 65 a message that cannot be taken, 67 no such user here (the others got it), 69 no server,
75 try again later, 77 not allowed.`,
    )
}
