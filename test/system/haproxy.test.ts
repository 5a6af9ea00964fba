/** Debian's HAProxy in front of our doors, telling by the PROXY protocol who the client is. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { inject, selfSignedTls, until } from '../harness/foreign.ts'
import { runProgram } from '../harness/lab.ts'
import { freePorts, waitForPort } from '../harness/ports.ts'
import { startProcess } from '../harness/process.ts'
import { findProgram, skipLoudly, unpackedEnvironment, unpackServer } from '../harness/programs.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'
import { temporaryFolder } from '../harness/temp.ts'

/** Ports of a proxy that says v1 on the first and v2 on the second. @returns Null when the test has been skipped. */
async function startHaproxy(t: TestContext, backend: number): Promise<[v1: number, v2: number] | null> {
  const root = await unpackServer('haproxy', ['haproxy'], t)
  if (root === null) return null
  const [v1, v2] = (await freePorts(2)) as [number, number]
  const file = join(temporaryFolder(t), 'haproxy.cfg')
  const door = (name: string, port: number, how: string): string =>
    `listen ${name}\n bind 127.0.0.1:${port}\n server posthorn 127.0.0.1:${backend} ${how}\n`
  writeFileSync(
    file,
    'defaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n' +
      // Its own checks say LOCAL: a connection of the proxy itself.
      door('v1', v1, 'send-proxy') +
      door('v2', v2, 'send-proxy-v2 check inter 200ms'),
  )
  startProcess(t, join(root, 'usr/sbin/haproxy'), ['-db', '-f', file], { env: unpackedEnvironment(root) })
  await waitForPort(v1)
  await waitForPort(v2)
  return [v1, v2]
}

test('HAProxy passes letters on, and the client it names is the one we know', async (t: TestContext) => {
  const door = await openSmtpDoor({
    door: { proxies: ['127.0.0.1'], tls: selfSignedTls('mail.hamburger.edu') },
  })
  t.after(() => door.close())
  const ports = await startHaproxy(t, door.endpoint.port)
  if (ports === null) return
  for (const [index, port] of ports.entries()) {
    await inject(port, {
      from: 'alice@crepes.fr',
      to: ['bob@hamburger.edu'],
      text: `From: alice@crepes.fr\nSubject: v${index + 1}\n\nHello\n`,
    })
  }
  const arrived = await door.inbox('bob@hamburger.edu')
  assert.deepEqual(
    arrived.map((letter) => /Subject: (\S+)/.exec(letter)?.[1]),
    ['v1', 'v2'],
  )
  // The other end of the client's connection is the proxy: the header carries both.
  for (const port of ports) {
    await until('the journey', () =>
      door.journeys.some(({ facts }) => facts?.links?.some(({ server }) => server === `127.0.0.1:${port}`)),
    )
  }
})

test('a client from another address reaches us through HAProxy with that address, over STARTTLS', async (t: TestContext) => {
  if (findProgram('swaks') === null) return skipLoudly(t, 'haproxy.test.ts needs swaks')
  const door = await openSmtpDoor({
    door: { proxies: ['127.0.0.1'], tls: selfSignedTls('mail.hamburger.edu') },
  })
  t.after(() => door.close())
  const ports = await startHaproxy(t, door.endpoint.port)
  if (ports === null) return
  for (const [index, port] of ports.entries()) {
    const ran = await runProgram('swaks', [
      ...[
        '--server',
        '127.0.0.1',
        '--port',
        String(port),
        '--local-interface',
        `127.0.0.${index + 7}`,
        '--tls',
      ],
      ...['--from', 'alice@crepes.fr', '--to', 'bob@hamburger.edu', '--helo', 'crepes.fr'],
    ])
    assert.equal(ran.code, 0, ran.stdout)
    const letter = (await door.inbox('bob@hamburger.edu')).at(-1)!
    assert.match(
      letter,
      new RegExp(`from crepes\\.fr \\(\\[127\\.0\\.0\\.${index + 7}\\]\\).*\\s+ESMTPS\\s`, 's'),
    )
  }
})

test('behind a proxy nobody gets in without its header', async (t: TestContext) => {
  const door = await openSmtpDoor({ limits: { proxyHeaderTimeoutMs: 200 }, door: { proxies: ['127.0.0.1'] } })
  t.after(() => door.close())
  const letter = { from: 'alice@crepes.fr', to: ['bob@hamburger.edu'], text: 'Subject: direct\n\nHello\n' }
  await assert.rejects(inject(door.endpoint.port, letter))
  assert.deepEqual(await door.inbox('bob@hamburger.edu'), [])
})
