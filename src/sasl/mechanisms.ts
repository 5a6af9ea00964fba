import type { SaslMechanism } from './mechanism.ts'
import { login } from './login.ts'
import { plain } from './plain.ts'

/** By name in capitals, in the order in which doors offer them: a client takes the first that it knows. */
export const mechanisms: ReadonlyMap<string, SaslMechanism> = new Map(
  [plain, login].map((mechanism) => [mechanism.name, mechanism]),
)
