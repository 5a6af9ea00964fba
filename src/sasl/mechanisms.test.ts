import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credentialOctets } from './credential-text.ts'
import { mechanisms, mechanismsFor } from './mechanisms.ts'

function begin(name: string, initial: string | null) {
  const exchange = mechanisms.get(name)!.start()
  return { exchange, step: exchange.begin(initial) }
}

test('The mechanisms are offered in the order PLAIN, LOGIN', () => {
  assert.deepEqual([...mechanisms.keys()], ['PLAIN', 'LOGIN'])
})

test('RFC 4616 §4, first example: tim logs in after an empty challenge', () => {
  const { exchange, step } = begin('PLAIN', null)
  assert.deepEqual(step, { kind: 'challenge', challenge: '' })
  assert.deepEqual(exchange.next('\0tim\0tanstaaftanstaaf'), {
    kind: 'credentials',
    credentials: { authorisationId: '', login: 'tim', password: 'tanstaaftanstaaf' },
  })
})

test('RFC 4616 §4, second example: Kurt asks to act as Ursel, in the initial response', () => {
  assert.deepEqual(begin('PLAIN', 'Ursel\0Kurt\0xipj3plmq').step, {
    kind: 'credentials',
    credentials: { authorisationId: 'Ursel', login: 'Kurt', password: 'xipj3plmq' },
  })
})

test('PLAIN carries UTF-8 and parts of 255 octets', () => {
  const long = 'p'.repeat(255)
  const { step } = begin('PLAIN', `\0j\xc3\xbcrgen\0${long}`)
  assert.deepEqual(step, {
    kind: 'credentials',
    credentials: { authorisationId: '', login: 'jürgen', password: long },
  })
})

test('PLAIN that is no PLAIN is malformed', () => {
  const tooLong = 'x'.repeat(credentialOctets + 1)
  const table = [
    '',
    '\0',
    'tim\0secret',
    '\0\0secret',
    '\0tim\0',
    '\0tim\0a\0b',
    '\0tim\0\xff',
    '\0tim\0\xed\xa0\x80',
  ]
  for (const bad of [...table, `\0tim\0${tooLong}`, `\0tim\0a\rb`, `\0t\nim\0a`]) {
    assert.equal(begin('PLAIN', bad).step.kind, 'malformed', JSON.stringify(bad))
  }
})

test('LOGIN asks for name and password, draft-murchison-sasl-login §2.3', () => {
  const { exchange, step } = begin('LOGIN', null)
  assert.deepEqual(step, { kind: 'challenge', challenge: 'Username:' })
  assert.deepEqual(exchange.next('tim'), { kind: 'challenge', challenge: 'Password:' })
  assert.deepEqual(exchange.next('tanstaaftanstaaf'), {
    kind: 'credentials',
    credentials: { authorisationId: '', login: 'tim', password: 'tanstaaftanstaaf' },
  })
})

test('LOGIN takes the name as initial response', () => {
  assert.deepEqual(begin('LOGIN', 'tim').step, { kind: 'challenge', challenge: 'Password:' })
})

test('LOGIN refuses an empty name, an empty password, NUL and what is not UTF-8', () => {
  for (const bad of ['', '\0', '\xff', 'x'.repeat(credentialOctets + 1)]) {
    assert.equal(begin('LOGIN', bad).step.kind, 'malformed')
    const { exchange } = begin('LOGIN', 'tim')
    assert.equal(exchange.next(bad).kind, 'malformed')
  }
})

test('RFC 4422 appendix A.2: EXTERNAL is offered to who has a certificate, first, and carries an identity or none', () => {
  assert.equal(mechanismsFor([]), mechanisms)
  const certified = ['ada@one.example']
  const offered = mechanismsFor(certified)
  assert.deepEqual([...offered.keys()], ['EXTERNAL', 'PLAIN', 'LOGIN'])
  const exchange = offered.get('EXTERNAL')!.start()
  assert.deepEqual(exchange.begin(null), { kind: 'challenge', challenge: '' })
  for (const authorisationId of ['', 'ada@one.example']) {
    const credentials = { authorisationId, login: '', password: '', certified }
    assert.deepEqual(exchange.next(authorisationId), { kind: 'credentials', credentials })
  }
  for (const bad of ['a\0b', '\xff', 'x'.repeat(credentialOctets + 1)]) {
    assert.equal(offered.get('EXTERNAL')!.start().begin(bad).kind, 'malformed')
  }
})
