import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineCounter, StopAt } from './line-counter.ts'

/** What the counter should find, said as plainly as possible. */
function expected(text: string) {
  return {
    lines: text.split('\n').length - 1,
    bareLf: /(?<!\r)\n/.test(text),
    bareCr: /\r(?!\n)/.test(text),
    nul: text.includes('\0'),
    eightBit: /[\x80-\xff]/.test(text),
  }
}

function counted(pieces: Uint8Array[], stop: StopAt) {
  const counter = new LineCounter()
  for (const piece of pieces) {
    for (let at = 0; at >= 0 && at < piece.length; ) at = counter.advance(piece, at, stop)
    if (piece.length > 0) counter.endChunk(piece)
  }
  counter.endMessage()
  const { lines, bareLf, bareCr, nul, eightBit } = counter
  return { lines, bareLf, bareCr, nul, eightBit }
}

const octet = fc.oneof(
  fc.constantFrom(10, 13, 13, 10, 0, 45, 14, 65, 65, 65, 65, 65),
  fc.integer({ min: 0, max: 255 }),
)

test('lines and forbidden octets are counted the same wherever the stream is cut and whatever is stopped at', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(octet, { maxLength: 40 }), { maxLength: 8 }),
      fc.integer({ min: 0, max: 3 }),
      (chunks, shift) => {
        const text = chunks.map((chunk) => Buffer.from(chunk).toString('latin1')).join('')
        // Chunks at every alignment, since words of four octets are read.
        const pieces = chunks.map((chunk) => {
          const room = Buffer.alloc(chunk.length + shift)
          room.set(chunk, shift)
          return room.subarray(shift)
        })
        for (const stop of [StopAt.none, StopAt.dash, StopAt.everyLine]) {
          assert.deepEqual(counted(pieces, stop), expected(text))
        }
      },
    ),
    { numRuns: 1500 },
  )
})

test('the counter stops at lines that begin with a dash, and where a chunk ends with a line', () => {
  const text = Buffer.from(
    'aaaaaaaaaaaaaaaaaaaaaaaa\r\n--b\r\nbbbbbbbbbbbbbbbb\r\n-\r\nccccccccccccccccccc\r\n',
  )
  const counter = new LineCounter()
  const stops: number[] = []
  for (let at = 0; at >= 0 && at < text.length; ) stops.push((at = counter.advance(text, at, StopAt.dash)))
  assert.deepEqual(stops, [26, 49, text.length])
})
