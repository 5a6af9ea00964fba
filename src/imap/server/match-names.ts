import type { ListPattern } from '../wire/list-pattern.ts'
import { untagged } from '../wire/response.ts'
import type { Session } from './session.ts'

/** Names between two looks at the clock of others. */
export const namesPerTurn = 200

/** The pattern with INBOX in capitals, which it is in the names it is compared with: RFC 3501 §5.1. */
export function listName(pattern: string): string {
  return pattern.replace(/^inbox(?=$|[/*%])/i, 'INBOX')
}

/** Tells of the names that match, in the order given. */
export async function tellMatching(
  { dialogue }: Session,
  names: readonly string[],
  pattern: ListPattern,
  format: (name: string) => string,
): Promise<void> {
  for (const [i, name] of names.entries()) {
    if (i % namesPerTurn === namesPerTurn - 1) await dialogue.breathe()
    if (pattern.matches(name)) dialogue.write(untagged(format(name)))
  }
}
