/** What STATUS and RETURN (STATUS …) of LIST ask for, RFC 3501 §9 (status-att). */
import type { CommandReader } from './reader.ts'
import { bad } from './refusal.ts'

export type StatusItem = 'MESSAGES' | 'RECENT' | 'UIDNEXT' | 'UIDVALIDITY' | 'UNSEEN'

const statusItems = new Set<string>([
  'MESSAGES',
  'RECENT',
  'UIDNEXT',
  'UIDVALIDITY',
  'UNSEEN',
] satisfies StatusItem[])

/** "(" status-att *(SP status-att) ")", each told once. */
export function parseStatusItems(reader: CommandReader): StatusItem[] {
  const items = new Set<StatusItem>()
  reader.expect('(')
  do {
    const item = reader.atom().toUpperCase()
    if (!statusItems.has(item)) throw bad('Cannot read STATUS: no such item')
    items.add(item as StatusItem)
  } while (reader.accept(' '))
  reader.expect(')')
  return [...items]
}
