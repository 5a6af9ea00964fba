import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAuthenticationResults, parseAuthenticationResults } from './results-field.ts'

const read = (text: string) => {
  const parsed = parseAuthenticationResults(text.replace(/\n/g, '\r\n'))
  return parsed?.results.map(({ method, result, reason, properties }) =>
    [
      `${method}=${result}`,
      ...(reason === undefined ? [] : [`reason=${reason}`]),
      ...properties.map(({ type, property, value }) => `${type}.${property}=${value}`),
    ].join(' '),
  )
}

test('the examples of RFC 8601 appendix B', () => {
  assert.deepEqual(read(' example.org 1; none'), [])
  assert.deepEqual(read(' example.com;\n          spf=pass smtp.mailfrom=example.net'), [
    'spf=pass smtp.mailfrom=example.net',
  ])
  assert.deepEqual(
    read(
      ' example.com;\n  auth=pass (cram-md5) smtp.auth=sender@example.net;\n  spf=pass smtp.mailfrom=example.net',
    ),
    ['auth=pass smtp.auth=sender@example.net', 'spf=pass smtp.mailfrom=example.net'],
  )
  assert.deepEqual(
    read(
      ' example.com;\n  dkim=pass reason="good signature"\n    header.i=@mail-router.example.net;\n  dkim=fail reason="bad signature"\n    header.i=@newyork.example.com',
    ),
    [
      'dkim=pass reason=good signature header.i=@mail-router.example.net',
      'dkim=fail reason=bad signature header.i=@newyork.example.com',
    ],
  )
  const commented = ` foo.example.net (foobar) 1 (baz);
    dkim (Because I like it) / 1 (One yay) = (wait for it) fail
      policy (A dot can go here) . (like that) expired
      (this surprised me) = (as I wasn't expecting it) 1362471462`
  assert.deepEqual(read(commented), ['dkim=fail policy.expired=1362471462'])
})

test('what the world writes without quotes is read too', () => {
  assert.deepEqual(
    read(
      ' mx.example; dkim=pass header.b=ab/c+d= header.i="a b"@c.example; iprev=pass policy.iprev=2001:db8::1',
    ),
    ['dkim=pass header.b=ab/c+d= header.i=a b@c.example', 'iprev=pass policy.iprev=2001:db8::1'],
  )
})

test('what is no such field', () => {
  for (const text of [
    '',
    ' ;',
    ' a.example 2; none',
    ' a.example; spf',
    ' a.example; =pass',
    ' a.example; spf=pass (',
    ' a.example spf=pass',
    ' a.example; spf=pass reason="',
  ]) {
    assert.equal(parseAuthenticationResults(text), null, text)
  }
  assert.equal(parseAuthenticationResults(` a.example; spf=pass ${'('.repeat(100_000)}`), null)
})

/** What has a = in it is written another way. */
const value = fc.string({ unit: 'grapheme-ascii', maxLength: 60 }).map((text) => text.replaceAll('=', ':'))
const keyword = fc.constantFrom('spf', 'dkim', 'x-new', 'header', 'smtp', 'mailfrom', 'pass')

test('what is written is read again, in lines that are not too long', () => {
  const plain = { noNullPrototype: true }
  const property = fc.record({ type: keyword, property: keyword, value }, plain)
  const properties = fc.array(property, { maxLength: 5 })
  const result = fc.record({ method: keyword, result: keyword, comment: value, properties }, plain)
  fc.assert(
    fc.property(fc.array(result, { maxLength: 5 }), (results) => {
      const field = formatAuthenticationResults({ server: 'mx.example', results })
      assert.ok(field.endsWith('\r\n'))
      assert.equal(field.match(/\r\n(?![ ])/g)?.length, 1, field)
      const parsed = parseAuthenticationResults(field.slice('Authentication-Results:'.length, -2))
      assert.deepEqual(
        parsed,
        { server: 'mx.example', results: results.map(({ comment: _, ...rest }) => rest) },
        field,
      )
    }),
  )
})

test('a stranger cannot add a result or a field', () => {
  const field = formatAuthenticationResults({
    server: 'mx.example',
    results: [
      {
        method: 'spf',
        result: 'fail',
        comment: 'a) dkim=pass\r\nX: y',
        reason: 'b"; dmarc=pass\r\n\r\nbody',
        properties: [
          { type: 'smtp', property: 'mailfrom', value: 'a; dmarc=pass header.from=bank.example\r\nFrom: x' },
        ],
      },
    ],
  })
  const parsed = parseAuthenticationResults(field.slice('Authentication-Results:'.length, -2))
  assert.deepEqual(
    parsed?.results.map(({ method, result }) => `${method}=${result}`),
    ['spf=fail'],
  )
  assert.equal(/\r\n[^ ]/.test(field), false)
})
