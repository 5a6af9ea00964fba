import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { Recorder } from '../../journey/recorder.ts'
import { openSmtpClient } from './client.ts'
import { dialler, talk } from './client-fixture.ts'
import { SmtpFailure } from './failure.ts'

const unopened: [title: string, script: string, facts: string][] = [
  ['no SMTP service here', 'S: 554 5.3.2 go away\nC: QUIT\nS: 221 x', 'refused permanent greeting 5.3.2'],
  ['busy', 'S: 421 4.3.2 busy\nS: (close)', 'refused temporary greeting 4.3.2'],
  ['a web server', 'S: HTTP/1.1 200 OK', 'protocol temporary greeting 4.5.0'],
  ['nothing at all', 'S: (close)', 'closed temporary greeting 4.4.2'],
  ['250 as a greeting', 'S: 250 hm\nC: QUIT\nS: 221 x', 'protocol temporary greeting 4.5.0'],
  [
    'EHLO put off',
    'S: 220 mx\nC: EHLO crepes.example\nS: 450 4.7.1 later\nC: QUIT\nS: 221',
    'refused temporary hello 4.7.1',
  ],
  [
    'neither EHLO nor HELO',
    'S: 220 mx\nC: EHLO crepes.example\nS: 550 no\nC: HELO crepes.example\nS: 550 5.7.1 no\nC: QUIT\nS: 221 x',
    'refused permanent hello 5.7.1',
  ],
]
for (const [title, script, facts] of unopened) {
  test(`no conversation comes about: ${title}`, async () => {
    const recorder = new Recorder(systemClock)
    await assert.rejects(
      talk(script, async () => assert.fail('opened'), { recorder }),
      (error) => {
        assert(error instanceof SmtpFailure)
        assert.equal(`${error.reason} ${error.kind} ${error.stage} ${error.status}`, facts)
        return true
      },
    )
    const kinds = recorder.take().map((event) => event.kind)
    assert.deepEqual(kinds, /no SMTP|busy|250|EHLO/.test(title) ? ['tcp.open', 'wire'] : kinds)
  })
}

test('a host that does not answer is unreachable', async () => {
  const recorder = new Recorder(systemClock)
  await assert.rejects(
    openSmtpClient({
      target: { hostname: 'mx.hamburger.example', address: '127.0.0.1', port: 9 },
      dialler,
      clock: systemClock,
      log: silentLog,
      ehloName: 'crepes.example',
      tls: { mode: 'none', ca: [] },
      dialect: 'esmtp',
      recorder,
    }),
    { name: 'SmtpFailure', reason: 'unreachable', kind: 'temporary', status: '4.4.1' },
  )
  assert.equal(recorder.take()[0]!.data['code'], 'ECONNREFUSED')
})
