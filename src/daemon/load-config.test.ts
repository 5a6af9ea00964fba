import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultLimits } from '../base/limits.ts'
import { ConfigError } from './config-error.ts'
import { limitKey, loadConfig, parseConfig } from './load-config.ts'

const file = '/etc/posthorn/posthorn.toml'

test('the example of the architecture page is read, and doors to come are named', () => {
  const { config, warnings } = parseConfig(
    `
hostname = "Mail.Hamburger.edu"
data = "data"                          # relative to this file
[listen]                               # lists of address:port
smtp = ["127.0.0.1:2525", "[::1]:2525"]
submission = ["127.0.0.1:2587"]
http = ["127.0.0.1:2080"]
[tls]
certificate = "cert.pem"
key = "/keys/key.pem"
[auth]
plaintext = "loopback"
[dns]
servers = ["127.0.0.1:5353", "192.0.2.53"]
validating = true
[routes]
"d1.test" = "127.1.0.1:2626"
"discard.test" = "discard"
[guards]
trusted = ["127.0.0.1"]
[outgoing]
address = "192.0.2.1"
ehlo_name = "out.hamburger.edu"
[log]
level = "warn"
[journey]
level = "facts"
[limits]
message_octets = 1000
`,
    file,
  )
  assert.equal(config.hostname, 'mail.hamburger.edu')
  assert.equal(config.data, '/etc/posthorn/data')
  assert.deepEqual(config.listen, {
    smtp: [
      { address: '127.0.0.1', port: 2525 },
      { address: '::1', port: 2525 },
    ],
    submission: [{ address: '127.0.0.1', port: 2587 }],
  })
  const certificates = [{ certificate: '/etc/posthorn/cert.pem', key: '/keys/key.pem' }]
  assert.deepEqual(config.tls, { certificates, clientCa: null })
  assert.deepEqual(config.auth, { plaintext: 'loopback' })
  assert.deepEqual(config.dns.servers, [
    { address: '127.0.0.1', port: 5353 },
    { address: '192.0.2.53', port: 53 },
  ])
  assert.equal(config.dns.validating, true)
  assert.deepEqual(
    [...config.routes],
    [
      ['d1.test', { address: '127.1.0.1', port: 2626 }],
      ['discard.test', 'discard'],
    ],
  )
  assert.deepEqual(config.guards.trusted, ['127.0.0.1'])
  assert.deepEqual(config.outgoing, {
    address: '192.0.2.1',
    ehloName: 'out.hamburger.edu',
    allowPrivate: false,
  })
  assert.equal(config.log.level, 'warn')
  assert.equal(config.journey.level, 'facts')
  assert.deepEqual(config.limits, { ...defaultLimits, messageOctets: 1000 })
  assert.deepEqual(warnings, [])
  assert.deepEqual(config.health, { http: [{ address: '127.0.0.1', port: 2080 }], metrics: [] })
})

test('everything but the host name has a default', () => {
  const { config, warnings } = parseConfig('hostname = "mail.example"', file)
  assert.deepEqual(config.tls, { certificates: [], clientCa: null })
  assert.equal(config.auth.plaintext, 'never')
  assert.deepEqual(config.dns, { servers: null, validating: false })
  assert.deepEqual(config.outgoing, { address: null, ehloName: null, allowPrivate: false })
  assert.deepEqual(config.limits, defaultLimits)
  assert.match(warnings[0]!, /No door is open/)
})

test('every limit can be set by its name', () => {
  for (const name of Object.keys(defaultLimits)) {
    const { config } = parseConfig(`hostname = "mail.example"\nlimits.${limitKey(name)} = 7`, file)
    assert.equal((config.limits as unknown as Record<string, number>)[name], 7, name)
  }
})

const head = 'hostname = "mail.example"\n'

const refused: [text: string, line: number, column: number, problem: RegExp, remedy: RegExp][] = [
  ['data = "x"', 1, 1, /hostname is missing/, /hostname = "mail/],
  ['hostname = 7', 1, 1, /hostname is 7/, /in quotes/],
  ['hostname = "192.0.2.1"', 1, 1, /not a host name/, /hostname = /],
  ['hostname = "under score.example"', 1, 1, /not a host name/, /hostname = /],
  ['hostname "x"', 1, 10, /Not TOML/, /KEY = VALUE/],
  [`${head}[listen\nsmtp = []`, 2, 8, /Not TOML/, /\[TABLE\]/],
  [`${head}hostnam = "x"`, 2, 1, /Unknown key hostnam/, /Did you mean hostname\?/],
  [`${head}[listn]\nsmtp = []`, 2, 1, /Unknown key listn/, /Did you mean listen\?/],
  [`${head}[listen]\n  smpt = ["127.0.0.1:25"]`, 3, 3, /Unknown key listen\.smpt/, /Did you mean smtp\?/],
  [
    `${head}[listen]\nsmtp = "127.0.0.1:25"`,
    3,
    1,
    /listen\.smtp is the text/,
    /smtp = \["127\.0\.0\.1:25"\]/,
  ],
  [`${head}[listen]\nsmtp = ["127.0.0.1:25", 26]`, 3, 25, /listen\.smtp holds 26/, /quotes/],
  [`${head}[listen]\nsmtp = [ # two\n  "127.0.0.1:25",\n  "25" ]`, 5, 3, /has no address/, /127\.0\.0\.1:25/],
  [`${head}[listen]\nsmtp = ["localhost:25"]`, 3, 9, /not an IP address/, /"127\.0\.0\.1:25"/],
  [`${head}[listen]\nsmtp = ["127.0.0.1"]`, 3, 9, /has no port/, /127\.0\.0\.1:25/],
  [`${head}[listen]\nsmtp = ["127.0.0.1:70000"]`, 3, 9, /not a port/, /1 to 65535/],
  [`${head}[listen]\nsmtp = ["::1"]`, 3, 9, /has no port/, /\[::1\]:25/],
  [`${head}listen = 25`, 2, 1, /listen is 25/, /\[listen\]/],
  [`${head}[tls]\nkey = "k.pem"`, 2, 1, /tls\.certificate is missing/, /makes a certificate itself/],
  [`${head}[[tls.certificate]]\nkey = "k.pem"`, 2, 1, /has no certificate/, /Add certificate = /],
  [
    `${head}[tls]\nkey = "k.pem"\ncertificates = [{ certificate = "c", key = "k" }]`,
    3,
    1,
    /beside a list/,
    /Move/,
  ],
  [
    `${head}[[tls.certificate]]\nkey = "k"\nfile = "c"`,
    4,
    1,
    /Unknown key tls\.certificate\.file/,
    /certificate, key/,
  ],
  [`${head}[auth]\nplaintext = "always"`, 3, 1, /auth\.plaintext is "always"/, /"never", "loopback"/],
  [`${head}[dns]\nservers = []`, 3, 1, /dns\.servers is empty/, /system/],
  [`${head}[dns]\nvalidating = "yes"`, 3, 1, /dns\.validating/, /true or false/],
  [`${head}[routes]\n"d1.test" = "d1.test:25"`, 3, 1, /not an IP address/, /Write an address/],
  [`${head}[routes]\n"a b" = "discard"`, 3, 1, /not a domain/, /domain\.example/],
  [`${head}[guards]\ntrusted = ["10.0.0.0/8"]`, 3, 12, /not an IP address/, /single addresses/],
  [`${head}[outgoing]\naddress = "eth0"`, 3, 1, /not an IP address/, /leave the line out/],
  [`${head}[outgoing]\nehlo_name = "*"`, 3, 1, /not a host name/, /leave the line out/],
  [`${head}[log]\nlevel = "loud"`, 3, 1, /log\.level is "loud"/, /"debug", "info"/],
  [`${head}[search]\nindex_for = "nobody"`, 3, 1, /search\.index_for is "nobody"/, /"searching"/],
  [`${head}[journey]\nlevel = true`, 3, 1, /journey\.level is true/, /"full", "envelope"/],
  ['[listen]\nhostname = "a.example"', 2, 1, /hostname belongs to \[listen\]/, /to the top of the file/],
  [`${head}[quota]\nx = 1`, 2, 1, /Unknown key quota/, /clamav, .*rspamd/],
  [
    `${head}[guards.blocklists."bl.test"]\naction = "weigh"`,
    ...([2, 1, /guards\.blocklists\.bl\.test weighs nothing/, /Add weight/] as const),
  ],
  [
    `${head}[guards.blocklists."bl.test"]\nanswers = ["x"]`,
    ...([3, 12, /guards\.blocklists\.bl\.test\.answers/, /single addresses/] as const),
  ],
  [`${head}[limits]\nrecipients = 0`, 3, 1, /too little/, /1 or more; without the line it is 1000/],
  [`${head}[limits]\nrecipients = 1.5`, 3, 1, /limits\.recipients is 1\.5/, /whole number/],
  [`${head}[limits]\nrecipient = 5`, 3, 1, /Unknown key limits\.recipient/, /Did you mean recipients\?/],
  [`${head}limits = { recipients = 5, hop = 1 }`, 2, 28, /Unknown key limits\.hop/, /Did you mean hops\?/],
  [`${head}data = ""`, 2, 1, /data is empty/, /leave the line out/],
]

for (const [text, line, column, problem, remedy] of refused) {
  test(`a configuration is refused with its place and a remedy: ${JSON.stringify(text.replace(head, ''))}`, () => {
    assert.throws(
      () => parseConfig(text, file),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError, String(error))
        assert.match(error.problem, problem)
        assert.match(error.remedy, remedy)
        assert.deepEqual([error.line, error.column], [line, column], error.message)
        assert.equal(error.message, `${file}:${line}:${column}: ${error.problem}`)
        return true
      },
    )
  })
}

test('a missing file is named with what to do', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-config-'))
  t.after(() => rm(folder, { recursive: true }))
  await assert.rejects(loadConfig(join(folder, 'none.toml')), /none\.toml: There is no such file/)
  await writeFile(join(folder, 'posthorn.toml'), 'hostname = "mail.example"')
  assert.equal((await loadConfig(join(folder, 'posthorn.toml'))).config.data, join(folder, 'data'))
})

test('several certificates are written in two ways, and a certificate for people in a third line', () => {
  const wanted = [
    { certificate: '/etc/posthorn/a.pem', key: '/etc/posthorn/a.key' },
    { certificate: '/b.pem', key: '/b.key' },
  ]
  const tables =
    '[tls]\nclient_ca = "people.pem"\n' +
    '[[tls.certificate]]\ncertificate = "a.pem"\nkey = "a.key"\n' +
    '[[tls.certificate]]\ncertificate = "/b.pem"\nkey = "/b.key"\n'
  const list =
    '[tls]\nclient_ca = "people.pem"\ncertificates = [{ certificate = "a.pem", key = "a.key" }, ' +
    '{ certificate = "/b.pem", key = "/b.key" }]\n'
  for (const text of [tables, list]) {
    const { config } = parseConfig(`${head}${text}`, '/etc/posthorn/posthorn.toml')
    assert.deepEqual(config.tls, { certificates: wanted, clientCa: '/etc/posthorn/people.pem' })
  }
})
