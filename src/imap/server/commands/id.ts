import { ok } from '../../wire/refusal.ts'
import { untagged } from '../../wire/response.ts'
import type { Handlers } from '../session.ts'

/** RFC 2971 §3.1. Nothing depends on what a client says here (§3.3); journeys show its name. */
export const id: Handlers['ID'] = {
  state: 'any',

  run(session, { fields }) {
    const name = fields.get('name')
    if (name != null) session.clientName = name.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)
    // No version: it would tell an attacker more than a client.
    session.dialogue.write(untagged('ID ("name" "Posthorn")'))
    return ok('Pleased to meet you')
  },
}
