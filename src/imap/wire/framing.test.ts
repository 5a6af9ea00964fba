import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Framing } from './framing.ts'

/** What a conversation says when it arrives in the given pieces. Literals up to 10 octets are held, to 20 streamed. */
function events(pieces: readonly string[], maxLine = 40): string[] {
  const framing = new Framing(maxLine)
  const told: string[] = []
  let streamed = ''
  for (const piece of pieces) {
    framing.push(Buffer.from(piece, 'latin1'))
    for (;;) {
      const event = framing.next()
      if (event.kind === 'more') break
      if (event.kind === 'bare-lf') return [...told, 'bare-lf']
      if (event.kind === 'literal') {
        const { octets, synchronising } = event.announced
        if (octets <= 10) framing.hold()
        else if (octets <= 20) framing.stream()
        else if (synchronising) {
          framing.drop()
          told.push('dropped')
        } else framing.skip()
      } else if (event.kind === 'chunk') {
        streamed += Buffer.from(event.octets).toString('latin1')
        if (event.last) told.push(`streamed ${streamed}`)
        if (event.last) streamed = ''
      } else if (event.kind === 'skipped') told.push(`skipped ${event.reason} ${event.start}`)
      else {
        const { texts, literals } = event.command
        told.push(
          texts
            .map((text, i) => text + (literals[i] ? `<${literals[i].text ?? literals[i].octets}>` : ''))
            .join(''),
        )
      }
    }
  }
  return told
}

test('Lines and literals become commands', () => {
  assert.deepEqual(
    events(['a NOOP\r\nb LOGIN {3}\r\nada {4+}\r\n\r\n{1}\r\nc {12+}\r\nabcdefghijkl end\r\n']),
    ['a NOOP', 'b LOGIN <ada> <\r\n{1>}', 'streamed abcdefghijkl', 'c <12> end'],
  )
})

test('A literal of no octets is a literal', () => {
  assert.deepEqual(events(['a LOGIN {0}\r\n {0+}\r\n\r\n']), ['a LOGIN <> <>'])
})

test('A refused literal that is on its way is swallowed exactly, and so are those behind it', () => {
  const inside = 'x LOGOUT\r\n'.repeat(3)
  assert.deepEqual(
    events([`a APPEND x {30+}\r\n${inside} {21+}\r\ny LOGOUT\r\n12345678901 z\r\nb NOOP\r\n`]),
    ['skipped literal a APPEND x ', 'b NOOP'],
  )
})

test('A refused synchronising literal ends its command', () => {
  assert.deepEqual(events(['a APPEND x {30}\r\n', 'b NOOP\r\n']), ['dropped', 'b NOOP'])
})

test('A line over the bound is thrown away with the literal it announces', () => {
  const long = 'a NOOP ' + 'x'.repeat(60)
  assert.deepEqual(events([`${long}\r\nb NOOP\r\n`]), [`skipped line-too-long ${long}\r\n`, 'b NOOP'])
  assert.deepEqual(events([`${long} {10+}\r\nx LOGOUT\r\n\r\nb NOOP\r\n`]).at(-1), 'b NOOP')
  assert.equal(events([`${long} {10+}\r\nx LOGOUT\r\n\r\nb NOOP\r\n`]).length, 2)
})

test('All the text of one command counts, however it is cut by literals', () => {
  const line = 'a ' + `${'x'.repeat(12)} {1+}\r\n1`.repeat(4)
  assert.equal(events([`${line}\r\nb NOOP\r\n`])[0]?.startsWith('skipped line-too-long a '), true)
  assert.equal(events([`${line}\r\nb NOOP\r\n`])[1], 'b NOOP')
})

test('A bare LF ends the conversation, also in a line that is too long', () => {
  assert.deepEqual(events(['a NOOP\n']), ['bare-lf'])
  assert.deepEqual(events([`a ${'x'.repeat(100)}\n`]), ['bare-lf'])
})

test('A line of exactly the bound passes, one octet more does not', () => {
  assert.deepEqual(events(['x'.repeat(40) + '\r\n']), ['x'.repeat(40)])
  assert.equal(events(['x'.repeat(41) + '\r\n'])[0]?.startsWith('skipped'), true)
})

test('A number of octets beyond counting is announced as such', () => {
  const framing = new Framing(1000)
  framing.push(Buffer.from(`a X {${'9'.repeat(400)}}\r\n`))
  const event = framing.next()
  assert.equal(event.kind === 'literal' && event.announced.octets, Number.POSITIVE_INFINITY)
})

test('The same octets cut anywhere give the same commands', () => {
  const piece = fc.constantFrom(
    'a NOOP\r\n',
    '{3}\r\n',
    '{3+}\r\n',
    '{0+}\r\n',
    '{15+}\r\n',
    '{25+}\r\n',
    '{25}\r\n',
    '\r',
    '\r\n',
    'x',
    '{',
    '}',
    'abcdefghijklmnopqrstuvwxyz',
    '~{2+}\r\n',
    '"',
    '\0',
    '{99999999999}\r\n',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }),
      fc.array(fc.nat(200), { maxLength: 8 }),
      (parts, cuts) => {
        const whole = parts.join('')
        const marks = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length]
        const cut = marks.slice(1).map((mark, i) => whole.slice(marks[i], mark))
        assert.deepEqual(events(cut), events([whole]))
        assert.deepEqual(events([...whole]), events([whole]))
      },
    ),
  )
})
