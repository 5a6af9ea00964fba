import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from './reply.ts'
import { parseXclient } from './xclient.ts'

test('XCLIENT tells of the client, in xtext', () => {
  assert.deepEqual(
    parseXclient(
      'NAME=spike.example ADDR=192.0.2.1 port=4711 PROTO=ESMTP HELO=a+2Bb LOGIN=bob@hamburger.edu',
    ),
    {
      name: 'spike.example',
      address: '192.0.2.1',
      port: 4711,
      extended: true,
      helo: 'a+b',
      login: 'bob@hamburger.edu',
    },
  )
  assert.deepEqual(parseXclient('ADDR=IPV6:2001:db8::1 NAME=[UNAVAILABLE]'), {
    address: '2001:db8::1',
    name: null,
  })
})

for (const args of [
  '',
  'ADDR',
  'ADDR=',
  'ADDR=192.0.2',
  'ADDR=IPV6:192.0.2.1',
  'ADDR=192.0.2.1 ADDR=192.0.2.2',
  'PORT=65536',
  'PROTO=LMTP',
  'NAME=a+20b',
  'HELO=a+0Ab',
  'HELO=a+2',
  'FROB=1',
  'constructor=1',
]) {
  test(`XCLIENT ${args} is refused`, () => assert.throws(() => parseXclient(args), Refusal))
}
