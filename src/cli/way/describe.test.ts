import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventData, Kind } from '../../journey/event.ts'
import { describeEvent } from './describe.ts'

const described = (kind: Kind, data: EventData): string[] =>
  describeEvent({ at: 0, dtUs: 0, stage: 'judged', kind, witness: 'observed', visibleTo: ['admin'], data })

test('what a filter answered is said with its name and its time', () => {
  const rspamd = {
    filter: 'rspamd',
    stage: 'message',
    answer: 'add header',
    us: 12_345,
    score: 6,
    required: 15,
  }
  assert.deepEqual(described('spam', rspamd), ['rspamd: add header (score 6 of 15, 12 ms)'])
  const milter = {
    filter: 'opendkim',
    stage: 'message',
    answer: 'accept',
    us: 1_250,
    changes: ['insert-header'],
  }
  assert.deepEqual(described('spam', milter), ['opendkim: accept (insert-header, 1.3 ms)'])
  const clamav = {
    filter: 'clamav',
    answer: 'found',
    us: 9,
    virus: 'Eicar',
    code: 554,
    text: 'Message holds Eicar',
  }
  assert.deepEqual(described('refuse', clamav), ['refused by clamav: Message holds Eicar'])
  assert.deepEqual(described('refuse', { code: 550 }), ['refused: 550'])
  assert.deepEqual(described('spam', { score: 3 }), ['spam {"score":3}'])
})

test('who handed a letter in is a person, or a program of the machine', () => {
  const octets = 53
  const login = { login: 'bob@hamburger.edu', client: '192.0.2.1', octets }
  assert.deepEqual(described('submit', login), ['by bob@hamburger.edu from 192.0.2.1, 53 B'])
  assert.deepEqual(described('submit', { login: '', client: 'sendmail, root', octets }), [
    'by sendmail, root, 53 B',
  ])
})

test('a letter that is forwarded says under which sender it goes on', () => {
  const data = { queueId: 3, domain: 'crepes.fr', reversePath: 'SRS0=x@hamburger.edu' }
  assert.deepEqual(described('queue.in', data), ['as 3 for crepes.fr', 'under SRS0=x@hamburger.edu'])
})
