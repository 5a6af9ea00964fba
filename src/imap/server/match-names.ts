import type { ListPattern } from '../wire/list-pattern.ts'
import type { Session } from './session.ts'

/** Names between two looks at the clock of others. */
const namesPerTurn = 200

/** The pattern with INBOX in capitals, which it is in the names it is compared with: RFC 3501 §5.1. */
export function listName(pattern: string): string {
  return pattern.replace(/^inbox(?=$|[/*%])/i, 'INBOX')
}

/** Names that match, in the order given. */
export async function matchAll(
  session: Session,
  names: readonly string[],
  pattern: ListPattern,
): Promise<string[]> {
  const found: string[] = []
  for (const [i, name] of names.entries()) {
    if (i % namesPerTurn === namesPerTurn - 1) await session.dialogue.breathe()
    if (pattern.matches(name)) found.push(name)
  }
  return found
}
