import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FakeClock } from '../base/clock.ts'
import type { WireLine } from './event.ts'
import { Recorder, wireCharsMax, wireLineOctets, wireLinesMax } from './recorder.ts'
import { packSpoken, unpackSpoken } from './spoken.ts'

const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code))
/** Most of what could be taken for a part of the form. */
const char = fc.oneof(octet, fc.constantFrom('\r', '\n', 'C', 'S', '1', ' ', '…'))
const text = fc.string({ unit: char, maxLength: 20 }).filter((line) => !line.includes('\r\n'))
const line = fc.record(
  { side: fc.constantFrom('C' as const, 'S' as const), text, dtUs: fc.nat() },
  { noNullPrototype: true },
)

test('lines come back as they were said', () => {
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const spoken = lines.flatMap(({ side, dtUs, text: said }) => [side, dtUs, said])
      assert.deepEqual(unpackSpoken(packSpoken(spoken)), lines)
    }),
  )
})

test('a reply of several lines becomes as many', () => {
  const { recorder, said } = recording()
  recorder.wire('C', 'EHLO client.example')
  recorder.reply('250-mx.posthorn.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n', 3)
  recorder.reply('250 2.1.0 Originator ok\r\n', 1)
  assert.deepEqual(
    said().map(({ side, text: words }) => `${side}: ${words}`),
    [
      'C: EHLO client.example',
      'S: 250-mx.posthorn.example',
      'S: 250-PIPELINING',
      'S: 250 SIZE 1000',
      'S: 250 2.1.0 Originator ok',
    ],
  )
})

test('of a line that is too long the rest is cut, in a long reply, too', () => {
  const { recorder, said } = recording()
  recorder.wire('C', 'x'.repeat(wireLineOctets + 1))
  recorder.reply(`250-${'y'.repeat(wireLineOctets)}\r\n250 z\r\n`, 2)
  assert.deepEqual(
    said().map(({ text: words }) => words),
    [`${'x'.repeat(wireLineOctets)}…`, `250-${'y'.repeat(wireLineOctets - 4)}…`, '250 z'],
  )
})

test('lines beyond the bound are counted, those of replies one by one', () => {
  const { recorder } = recording()
  for (let i = 0; i < wireLinesMax; i++) recorder.wire('C', 'NOOP')
  recorder.wire('C', 'EHLO client.example')
  recorder.reply('250-mx.posthorn.example\r\n250 SIZE 1000\r\n', 2)
  recorder.closeWire('spoken', { phase: 'transfer' })
  assert.deepEqual(recorder.take()[0]?.data, { phase: 'transfer', omitted: 3 })
})

test('chars beyond the bound are not kept, however few the lines', () => {
  const { recorder, said } = recording()
  for (let i = 0; i < 100; i++) recorder.wire('C', 'x'.repeat(wireLineOctets))
  assert.equal(said().length, Math.ceil(wireCharsMax / wireLineOctets))
})

function recording(): { recorder: Recorder; said(): WireLine[] } {
  const recorder = new Recorder(new FakeClock())
  return {
    recorder,
    said() {
      recorder.closeWire('spoken')
      return recorder.take().flatMap(({ spoken }) => unpackSpoken(packSpoken(spoken ?? [])))
    },
  }
}
