import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replay } from '../../test/harness/replay.ts'
import { openSmtpDoor } from '../../test/harness/smtp-door.ts'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { mapResolver } from '../dns/map-resolver.ts'
import { createDialler } from '../smtp/client/dialler.ts'
import { startMilter, uint32 } from '../smtp/filter/milter/scripted-milter.ts'
import { startHttp } from '../smtp/filter/scripted-http.ts'
import { parseConfig } from './load-config.ts'
import { makePrograms } from './make-filters.ts'
import type { World } from './world.ts'

const world: World = {
  resolver: mapResolver({
    'hooks.example': { A: ['127.0.0.1'] },
    '1.0.0.127.in-addr.arpa': { PTR: ['mail.client.example'] },
    'mail.client.example': { A: ['127.0.0.1'] },
  }),
  dialler: createDialler({ localAddress: null, clock: systemClock }),
  authorities: [],
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
}

test('a letter goes past a milter and a hook, which are found by the names of the configuration', async (t) => {
  const milter = await startMilter({ E: ['hX-Milter\0seen\0', 'c'] })
  t.after(() => milter.close())
  const hook = await startHttp('{"addHeaders":[{"name":"X-Hook","value":"seen"}]}')
  t.after(() => hook.close())
  const { config } = parseConfig(
    `hostname = "mail.hamburger.edu"
[[milter]]
name = "scripted"
socket = "inet:${milter.port}@localhost.hooks.example"
on_failure = "accept"
[[milter]]
socket = "inet:${milter.port}@hooks.example"
[[hook]]
url = "http://hooks.example:${hook.port}/"
[[hook]]
url = "http://hooks.example:${hook.port}/submitted"
doors = ["submission"]
`,
    '/etc/posthorn/posthorn.toml',
  )
  const { filters, close } = await makePrograms({ config, world })
  t.after(close)
  const door = await openSmtpDoor({ door: { filters } })
  t.after(() => door.close())
  await replay(
    door.endpoint,
    `
    S: 220 <…>
    C: HELO client.example
    S: 250 <…>
    C: MAIL FROM:<ada@client.example>
    S: 250 2.1.0 <…>
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 2.1.5 <…>
    C: DATA
    S: 354 <…>
    C: Subject: hello
    C:
    C: Hi Bob
    C: .
    S: 250 2.0.0 <…>
    C: QUIT
    S: 221 <…>
    `,
  )
  const [letter] = await door.inbox('bob@hamburger.edu')
  assert.match(letter!, /^X-Milter: seen\r\nX-Hook: seen\r\n/m)
  assert.ok(milter.heard.some((one) => one.startsWith('Cmail.client.example|4')))
  assert.equal(milter.connections, 1)
  assert.deepEqual(
    hook.heard.map(({ path }) => path),
    ['/'],
  )
  const judged = door.journeys.flatMap(({ events }) => events).filter(({ stage }) => stage === 'judged')
  const answers = judged.map(({ data }) => [data['filter'], data['answer']])
  // The first milter has no address.
  assert.ok(answers.some(([name, answer]) => name === 'scripted' && answer === 'failed'))
  assert.ok(
    answers.some(([name, answer]) => name === `inet:${milter.port}@hooks.example` && answer === 'continue'),
  )
  assert.ok(answers.some(([name, answer]) => String(name).endsWith('/') && answer === 'accept'))
})

test('a filter that changes a message changes what the one before has made of it', async (t) => {
  const milters = [
    await startMilter({ E: [`m${uint32(1)}Subject\0first\0`, 'c'] }),
    await startMilter({ E: [`m${uint32(1)}To\0\0`, 'bsecond body\r\n', 'c'] }),
  ]
  t.after(() => Promise.all(milters.map((milter) => milter.close())))
  const tables = milters.map(({ port }) => `[[milter]]\nsocket = "inet:${port}@127.0.0.1"\n`)
  const { config } = parseConfig(
    `hostname = "mail.hamburger.edu"\n${tables.join('')}`,
    '/etc/posthorn/posthorn.toml',
  )
  const { filters, close } = await makePrograms({ config, world })
  t.after(close)
  const door = await openSmtpDoor({ door: { filters } })
  t.after(() => door.close())
  await replay(
    door.endpoint,
    `
    S: 220 <…>
    C: HELO client.example
    S: 250 <…>
    C: MAIL FROM:<ada@client.example>
    S: 250 2.1.0 <…>
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 2.1.5 <…>
    C: DATA
    S: 354 <…>
    C: Subject: hello
    C: To: bob
    C:
    C: Hi Bob
    C: .
    S: 250 2.0.0 <…>
    `,
  )
  const [letter] = await door.inbox('bob@hamburger.edu')
  assert.match(letter!, /\r\nSubject: first\r\n\r\nsecond body\r\n$/)
})
