import type { Command } from '../session.ts'

/** Does nothing, with or without a text, RFC 5321 §4.1.1.9. */
export const noop: Command = {
  verb: 'NOOP',
  phases: ['start', 'ready', 'envelope', 'recipients', 'chunks'],
  idle: true,

  run() {
    return { code: 250, status: '2.0.0', lines: ['Ok'] }
  },
}
