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
