import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../daemon/load-config.ts'
import { configLines } from './config-lines.ts'

test('config check tells of every guard, check and filter that a file asks for', () => {
  const { config } = parseConfig(
    `
hostname = "mail.hamburger.edu"
[listen]
smtp = ["[::1]:2525"]
http = ["127.0.0.1:2080"]
[process]
user = "posthorn"
[checks]
spf = "refuse"
dmarc = "judge"
[guards]
greylist = true
sender_domain = true
banned = ["203.0.113.0/24"]
[guards.sizes]
"hamburger.edu" = 1000
[guards.blocklists."bl.test"]
action = "weigh"
weight = 50
[[milter]]
name = "opendkim"
socket = "inet:8891@127.0.0.1"
[clamav]
socket = "unix:/run/clamd"
on_failure = "accept"
[reports]
tls = false
`,
    '/etc/posthorn/posthorn.toml',
  )
  const lines = configLines(config).map((line) => line.trim().replace(/ {2,}/, ': '))
  for (const line of [
    'becomes: posthorn',
    'smtp: [::1]:2525',
    'http: 127.0.0.1:2080',
    'senders: judged by SPF (a fail is refused), DKIM and ARC, DMARC',
    'greylisting: on',
    'sender domain: has to take mail',
    'blocklist: bl.test weighs 50',
    'banned: 203.0.113.0/24',
    'size: hamburger.edu takes 1000 octets',
    'milter: opendkim, for smtp; 451 when it fails',
    'clamav: clamav, for smtp, submission; passed over when it fails',
    'reports: DMARC, sent to the domains that ask for them',
  ])
    assert.ok(lines.includes(line), `${line} in\n${lines.join('\n')}`)
})

test('what is off is not told, but that nobody is judged is', () => {
  const { config } = parseConfig(
    'hostname = "a.example"\n[checks]\nspf = "off"\ndkim = false\ndmarc = "off"\n[reports]\ndmarc = false\ntls = false',
    '/x/posthorn.toml',
  )
  const text = configLines(config).join('\n')
  assert.match(text, /senders +not judged\n/)
  assert.match(text, /reports +none are sent/)
  assert.doesNotMatch(text, /greylist|banned|milter|blocklist/)
})
