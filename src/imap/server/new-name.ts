import type { Limits } from '../../base/limits.ts'
import { refuse } from '../wire/refusal.ts'

/** Levels of a new name; each level is a mailbox that is made along with it. */
const levelsMax = 50

/**
 * Judges the name of a mailbox that is to be made.
 *
 * @param name UTF-8, decoded.
 * @returns The name without a separator at its end.
 * @throws {Refusal} NO [CANNOT]
 */
export function checkNewName(name: string, limits: Pick<Limits, 'mailboxNameOctets'>): string {
  // RFC 3501 §6.3.3: a separator at the end says that names below will be made; there is nothing to do for that.
  const trimmed = name.endsWith('/') ? name.slice(0, -1) : name
  if (Buffer.byteLength(trimmed) > limits.mailboxNameOctets) throw refuse('LIMIT', 'The name is too long')
  const levels = trimmed.split('/')
  if (levels.length > levelsMax) throw refuse('LIMIT', `The name has more than ${levelsMax} levels`)
  if (levels.some((level) => level.trim() === '' || level === '.' || level === '..')) {
    throw refuse('CANNOT', 'A level of the name is empty')
  }
  // RFC 3501 §5.1 warns of the wildcards of LIST: nobody could list such a mailbox alone.
  if (/[*%]/.test(trimmed)) throw refuse('CANNOT', 'A name holds no wildcards')
  return trimmed
}
