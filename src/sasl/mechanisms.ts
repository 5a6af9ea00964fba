import type { SaslMechanism } from './mechanism.ts'
import { external } from './external.ts'
import { login } from './login.ts'
import { plain } from './plain.ts'

/** By name in capitals, in the order in which doors offer them: a client takes the first that it knows. */
export const mechanisms: ReadonlyMap<string, SaslMechanism> = new Map(
  [plain, login].map((mechanism) => [mechanism.name, mechanism]),
)

/**
 * @param accounts Addresses that the client's certificate stands for: with any, EXTERNAL is offered, before the others.
 * @returns As `mechanisms`.
 */
export function mechanismsFor(accounts: readonly string[]): ReadonlyMap<string, SaslMechanism> {
  if (accounts.length === 0) return mechanisms
  return new Map([['EXTERNAL', external(accounts)], ...mechanisms])
}
