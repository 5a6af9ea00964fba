import assert from 'node:assert/strict'
import { test } from 'node:test'
import { door } from './login.ts'
import { AgentError } from './mail-agent.ts'

const name = 'mail.crepes.fr'

test('the port, or a scheme before it, says whether TLS comes first', () => {
  const tlsOf = (text: string, protocol: 'imap' | 'smtp') => door(text, protocol).tls
  assert.equal(tlsOf(`${name}:993`, 'imap'), 'implicit')
  assert.equal(tlsOf(`${name}:143`, 'imap'), 'starttls')
  assert.equal(tlsOf(`imaps://${name}:3993`, 'imap'), 'implicit')
  assert.equal(tlsOf(`imap://${name}:993`, 'imap'), 'starttls')
  assert.equal(tlsOf(`${name}:465`, 'smtp'), 'implicit')
  assert.equal(tlsOf(`smtps://${name}:3465`, 'smtp'), 'implicit')
})

test('a server is reached by an address when the name in its certificate is told', () => {
  const found = { host: '::1', port: 3143, tls: 'starttls', serverName: name }
  assert.deepEqual(door('[::1]:3143', 'imap', name), found)
  assert.throws(() => door('127.0.0.1:3143', 'imap'), /--server-name/)
})

test('what is no server is told', () => {
  for (const text of ['mail', 'mail:', 'a:b:1', 'http://mail:1', 'smtps://mail:465', 'imaps://mail'])
    assert.throws(() => door(text, 'imap'), AgentError, text)
})
