import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noFilters } from '../../base/filter-config.ts'
import { ConfigError } from '../config-error.ts'
import { parseConfig } from '../load-config.ts'

const read = (text: string) =>
  parseConfig(`hostname = "mx.posthorn.example"\n${text}`, '/etc/posthorn/posthorn.toml').config.filters

test('without a word about filters there are none', () => {
  assert.deepEqual(read(''), noFilters)
})

test('each filter needs only to be found', () => {
  const filters = read(`
[[milter]]
socket = "inet:8891@127.0.0.1"
[[milter]]
name = "signer"
socket = "local:/run/opendkim.sock"
doors = ["submission"]
on_failure = "accept"
[[hook]]
url = "http://hooks.example:8080/mail?x=1"
[rspamd]
url = "http://127.0.0.1:11333"
junk_score = 5.5
[clamav]
socket = "unix:/run/clamav/clamd.ctl"
`)
  assert.deepEqual(filters, {
    milters: [
      {
        name: 'inet:8891@127.0.0.1',
        doors: ['smtp'],
        onFailure: 'tempfail',
        maxOctets: 10_000_000,
        place: { kind: 'inet', host: '127.0.0.1', port: 8891 },
        connectTimeoutMs: 10_000,
        commandTimeoutMs: 10_000,
        contentTimeoutMs: 20_000,
      },
      {
        name: 'signer',
        doors: ['submission'],
        onFailure: 'accept',
        maxOctets: 10_000_000,
        place: { kind: 'unix', path: '/run/opendkim.sock' },
        connectTimeoutMs: 10_000,
        commandTimeoutMs: 10_000,
        contentTimeoutMs: 20_000,
      },
    ],
    hooks: [
      {
        name: 'http://hooks.example:8080/mail?x=1',
        doors: ['smtp'],
        onFailure: 'tempfail',
        maxOctets: 10_000_000,
        url: 'http://hooks.example:8080/mail?x=1',
        timeoutMs: 20_000,
        requests: 20,
        stages: ['message'],
        secret: null,
        message: 'none',
        answerOctets: 262_144,
      },
    ],
    rspamd: {
      name: 'rspamd',
      doors: ['smtp'],
      onFailure: 'tempfail',
      maxOctets: 10_000_000,
      url: 'http://127.0.0.1:11333/',
      timeoutMs: 20_000,
      requests: 20,
      rejectScore: null,
      junkScore: 5.5,
    },
    clamav: {
      name: 'clamav',
      doors: ['smtp', 'submission'],
      onFailure: 'tempfail',
      maxOctets: 25_000_000,
      place: { kind: 'unix', path: '/run/clamav/clamd.ctl' },
      connectTimeoutMs: 10_000,
      timeoutMs: 20_000,
      onFound: 'refuse',
      tooLarge: 'accept',
    },
  })
})

test('what is wrong is said with its line and a remedy', () => {
  for (const [text, line, problem, remedy] of [
    ['[[milter]]\nname = "x"', 2, 'milter.socket is missing', /inet:8891@127\.0\.0\.1/],
    ['[[milter]]\nsocket = "127.0.0.1:25"', 3, 'milter.socket "127.0.0.1:25" cannot be read', /unix:\/PATH/],
    ['[[milter]]\nsocket = "inet:0@127.0.0.1"', 3, 'milter.socket "inet:0@127.0.0.1" cannot be read', /PORT/],
    ['[milter]\nsocket = "x"', 2, 'milter is not a list of tables', /\[\[milter\]\]/],
    ['[[hook]]\nurl = "ftp://x"', 3, 'hook.url "ftp://x" is no http or https URL', /http:/],
    ['[[hook]]\nurl = "http://me:pw@x/"', 3, 'hook.url has a password in it', /secret/],
    ['[[hook]]\nurl = "http://x/"\nstages = ["end"]', 4, 'hook.stages names "end"', /"message"/],
    ['[[hook]]\nurl = "http://x/"\ndoors = []', 4, 'hook.doors is empty', /"submission"/],
    ['[rspamd]\nurl = "http://x/"\nreject_score = "15"', 4, 'rspamd.reject_score is the text "15"', /number/],
    ['[clamav]\nsocket = "unix:/x"\non_fund = "junk"', 4, 'Unknown key clamav.on_fund', /on_found/],
  ] as const) {
    assert.throws(
      () => read(text),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError)
        assert.deepEqual([error.line, error.problem], [line, problem])
        assert.match(error.remedy, remedy)
        return true
      },
    )
  }
})
