import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventData, Journey, JourneyEvent } from '../journey/event.ts'
import { refusalsOf } from './refused.ts'

function refusal(data: EventData, branch?: string): JourneyEvent {
  const event = { at: 1, dtUs: 0, stage: 'judged', kind: 'refuse', witness: 'observed' } as const
  return { ...event, visibleTo: ['admin'], data, ...(branch === undefined ? {} : { branch }) }
}

test('a refused recipient is named, and of a whole message everybody it was for', () => {
  const journey: Journey = {
    journeyId: 'j',
    startedAt: 1,
    facts: {
      state: 'refused',
      recipients: ['bob@hamburger.edu', 'carol@hamburger.edu'],
      remoteAddress: '192.0.2.1',
    },
    events: [
      refusal({ stage: 'rcpt', text: '550 No', reversePath: 'eve@x.example' }, 'nobody@hamburger.edu'),
      refusal({ stage: 'end', text: '550 Refused', reversePath: 'eve@x.example' }),
      refusal({ stage: 'login', text: '535 Wrong' }),
    ],
  }
  assert.deepEqual(
    refusalsOf(journey).map(({ stage, recipient }) => [stage, recipient]),
    [
      ['rcpt', 'nobody@hamburger.edu'],
      ['end', 'bob@hamburger.edu, carol@hamburger.edu'],
      ['login', null],
    ],
  )
})
