import type { Command } from '../session.ts'

/** RFC 5321 §4.1.1.8. */
export const help: Command = {
  verb: 'HELP',
  phases: ['start', 'ready', 'envelope', 'recipients'],

  run() {
    const lines = ['EHLO MAIL RCPT DATA RSET NOOP QUIT VRFY STARTTLS AUTH', 'RFC 5321 says what each does']
    return { code: 214, status: '2.0.0', lines }
  },
}
