import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../load-config.ts'

const parse = (text: string) =>
  parseConfig(`hostname = "mail.hamburger.edu"\n${text}`, '/etc/posthorn.toml').config

test('[smtp] says what VRFY and EXPN tell; nothing by itself', () => {
  assert.deepEqual(parse('').smtp, { vrfy: 'ambiguous', expn: false, etrn: [], noSolicitation: null })
  assert.deepEqual(parse('[smtp]\nvrfy = "accounts"\nexpn = true\netrn = ["192.0.2.0/24"]').smtp, {
    ...{ vrfy: 'accounts', expn: true, etrn: ['192.0.2.0/24'], noSolicitation: null },
  })
  assert.throws(() => parse('[smtp]\nvrfy = "yes"\n'), /smtp\.vrfy is "yes"/)
  assert.deepEqual(parse('[smtp]\nno_solicitation = ["net.example:ADV"]').smtp.noSolicitation, [
    'net.example:ADV',
  ])
  assert.throws(() => parse('[smtp]\nno_solicitation = ["a b"]'), /"a b" is no keyword/)
  const many = Array.from({ length: 100 }, (_, index) => `"net.example:${index}"`)
  assert.throws(() => parse(`[smtp]\nno_solicitation = [${many.join(',')}]`), /longer than 999 characters/)
  assert.throws(() => parse('[smtp]\netrn = ["all"]\n'), /smtp\.etrn: "all" is no address or network/)
})

test('proxies are named by address, and LMTP is a door', () => {
  const { guards, listen } = parse(
    '[listen]\nlmtp = ["127.0.0.1:24"]\n[guards]\nproxies = ["192.0.2.1"]\nxclient = ["2001:db8::1"]\n',
  )
  assert.deepEqual(guards.proxies, ['192.0.2.1'])
  assert.deepEqual(guards.xclient, ['2001:db8::1'])
  assert.deepEqual(listen.lmtp, [{ address: '127.0.0.1', port: 24 }])
  assert.throws(() => parse('[guards]\nproxies = ["balancer"]\n'), /"balancer" is not an IP address/)
})
