import { defaultRejects, type RejectsConfig } from '../../base/rejects-config.ts'
import type { ConfigTable } from '../config-table.ts'

/** Those that every account has: what lies there is never ours to clear away. */
const taken = ['inbox', 'drafts', 'sent', 'junk', 'trash', 'archive']

/** Reads `[rejects]`. @throws {ConfigError} */
export function readRejects(table: ConfigTable): RejectsConfig {
  const mailbox = table.string('mailbox')
  if (
    mailbox !== null &&
    (taken.includes(mailbox.toLowerCase()) || !/^[^\x00-\x1f/%*]{1,100}$/.test(mailbox))
  ) {
    const remedy = 'Choose a name of its own, such as "Rejects".'
    throw table.error(['mailbox'], `rejects.mailbox cannot be "${mailbox}"`, remedy)
  }
  const messages = table.integer('messages', defaultRejects.messages, 1)
  const octets = table.integer('octets', defaultRejects.octets, 1)
  const days = table.integer('days', defaultRejects.ageMs / 86_400_000, 1)
  const messageOctets = table.integer('message_octets', defaultRejects.messageOctets, 1)
  table.refuseOthers()
  return { mailbox, messages, octets, ageMs: days * 86_400_000, messageOctets }
}
