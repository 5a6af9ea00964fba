import { isWithin } from './name.ts'
import type { Answer, RecordOf, RecordType } from './resolver.ts'

/**
 * Names that no server is asked about, RFC 6761 §6.3 and §6.4: `localhost` is this machine, `invalid` does not exist.
 *
 * @param name Normalised.
 * @returns Null for every other name.
 */
export function specialAnswer(name: string, type: RecordType): Answer<RecordOf[RecordType]> | null {
  const fixed = { ttl: 86_400, authentic: false, cached: false }
  if (isWithin(name, 'invalid')) return { status: 'no-name', records: [], ...fixed }
  if (!isWithin(name, 'localhost')) return null
  if (type === 'A') return { status: 'found', records: ['127.0.0.1'], ...fixed }
  if (type === 'AAAA') return { status: 'found', records: ['::1'], ...fixed }
  return { status: 'absent', records: [], ...fixed }
}
