import { refuse } from '../wire/refusal.ts'
import type { Session } from './session.ts'

/** @throws {Refusal} The mailbox was opened with EXAMINE. RFC 3501 §6.3.2. */
export function assertWritable(session: Session): void {
  if (session.view.readOnly) throw refuse('READ-ONLY', 'The mailbox is open for reading only')
}
