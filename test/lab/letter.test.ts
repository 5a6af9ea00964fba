/** The Lab from outside: what the lecture promises, spoken through its doors. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { AdminDoor, directTransport } from '../../src/cli/admin-door.ts'
import { noStyle } from '../../src/cli/terminal.ts'
import { formatWay } from '../../src/cli/way/format.ts'
import { gatherWay } from '../../src/cli/way/gather.ts'
import { mergeWay, type Way } from '../../src/cli/way/merge.ts'
import { parseEndpoint } from '../../src/daemon/endpoint-text.ts'
import type { Scene } from '../../src/lab/scene.ts'
import { type Lab, startLab } from '../../src/lab/start-lab.ts'
import { replay, speakTo } from '../harness/replay.ts'
import { temporaryFolder } from '../harness/temp.ts'

async function openLab(t: TestContext, scene: Scene): Promise<Lab> {
  process.env['XDG_RUNTIME_DIR'] = temporaryFolder(t)
  const lab = await startLab({
    surroundings: { clock: systemClock, random: systemRandom, log: silentLog },
    ...{ scene, folder: null, basePort: 0, reset: false, stop() {} },
  })
  t.after(() => lab.close(1_000))
  return lab
}

const aliceLogin = Buffer.from('\0alice@crepes.fr\0strawberry').toString('base64')

/** Hands a letter in as Alice, line by line. */
async function submit(lab: Lab, text: string): Promise<void> {
  const speaker = await speakTo(parseEndpoint(lab.line.servers[0]!.submission!))
  const ask = async (command: string, code: string) => {
    speaker.send(`${command}\r\n`)
    await speaker.expect(`${code}<…>`)
  }
  await speaker.expect('220 <…>')
  await ask('HELO alice.example', '250')
  await ask(`AUTH PLAIN ${aliceLogin}`, '235')
  await ask('MAIL FROM:<alice@crepes.fr>', '250')
  await ask('RCPT TO:<bob@hamburger.edu>', '250')
  await ask('DATA', '354')
  await ask(`${text.replaceAll('\n', '\r\n')}\r\n.`, '250')
  await ask('QUIT', '221')
}

async function wayOf(lab: Lab): Promise<Way> {
  const doors = await Promise.all(
    lab.servers.map(
      async (one) => new AdminDoor(one.line.domain, true, directTransport(await one.adminApp())),
    ),
  )
  return mergeWay(await gatherWay(doors, {}))
}

async function waitFor<T>(look: () => Promise<T | null>, what: string): Promise<T> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const found = await look()
    if (found !== null) return found
    assert.ok(Date.now() < deadline, `waited in vain for ${what}`)
    await sleep(30)
  }
}

/** How many letters lie in Bob's INBOX. */
async function bobHas(lab: Lab): Promise<number> {
  const { store } = lab.servers[1]
  const bob = await store.findAccount('bob@hamburger.edu')
  return (await store.findMailbox(bob!.accountId, 'INBOX'))!.total
}

const arrived = (lab: Lab) => waitFor(async () => ((await bobHas(lab)) === 3 ? true : null), 'the letter')

/** Takes the place of hamburger.edu's port 25, writes down what passes, and hands it on. */
async function listenIn(t: TestContext, lab: Lab): Promise<{ lines(): string[] }> {
  const real = parseEndpoint(lab.line.servers[1]!.smtp!)
  const heard: { side: 'C' | 'S'; octets: string }[] = []
  const tap = createServer((near) => void passOn(near, real, (side, octets) => heard.push({ side, octets })))
  tap.listen(0, '127.0.0.1')
  await once(tap, 'listening')
  t.after(() => tap.close())
  lab.redirect('hamburger.edu:25', { address: '127.0.0.1', port: (tap.address() as AddressInfo).port })
  return {
    lines: () =>
      heard.flatMap(({ side, octets }) => {
        assert.ok(octets.endsWith('\r\n'), JSON.stringify(octets))
        return octets
          .slice(0, -2)
          .split('\r\n')
          .map((line) => `${side}: ${line}`)
      }),
  }
}

async function passOn(
  near: Socket,
  real: { address: string; port: number },
  note: (side: 'C' | 'S', octets: string) => void,
): Promise<void> {
  const { connect } = await import('node:net')
  const far = connect(real.port, real.address)
  near.on('data', (chunk) => {
    note('C', chunk.toString('latin1'))
    far.write(chunk)
  })
  far.on('data', (chunk) => {
    note('S', chunk.toString('latin1'))
    near.write(chunk)
  })
  near.on('end', () => far.end())
  far.on('end', () => near.end())
  near.on('error', () => far.destroy())
  far.on('error', () => near.destroy())
}

test('L9 the conversation between crepes.fr and hamburger.edu is the lecture’s, octet for octet', async (t) => {
  const lab = await openLab(t, 'lecture')
  const wire = await listenIn(t, lab)
  await submit(lab, 'Do you like ketchup?\nHow about pickles?')
  await arrived(lab)
  await waitFor(async () => (wire.lines().at(-1)?.startsWith('S: 221') ? true : null), 'QUIT')
  assert.deepEqual(wire.lines(), [
    'S: 220 hamburger.edu',
    'C: HELO crepes.fr',
    'S: 250 Hello crepes.fr, pleased to meet you',
    'C: MAIL FROM: <alice@crepes.fr>',
    'S: 250 alice@crepes.fr... Sender ok',
    'C: RCPT TO: <bob@hamburger.edu>',
    'S: 250 bob@hamburger.edu ... Recipient ok',
    'C: DATA',
    'S: 354 Enter mail, end with "." on a line by itself',
    'C: Do you like ketchup?',
    'C: How about pickles?',
    'C: .',
    'S: 250 Message accepted for delivery',
    'C: QUIT',
    'S: 221 hamburger.edu closing connection',
  ])
})

test('L9 the lecture’s conversation can be held by hand, too', async (t) => {
  const lab = await openLab(t, 'lecture')
  await replay(
    parseEndpoint(lab.line.servers[1]!.smtp!),
    `
    S: 220 hamburger.edu
    C: HELO crepes.fr
    S: 250 Hello crepes.fr, pleased to meet you
    C: MAIL FROM: <alice@crepes.fr>
    S: 250 alice@crepes.fr... Sender ok
    C: RCPT TO: <bob@hamburger.edu>
    S: 250 bob@hamburger.edu ... Recipient ok
    C: DATA
    S: 354 Enter mail, end with "." on a line by itself
    C: Do you like ketchup?
    C: How about pickles?
    C: .
    S: 250 Message accepted for delivery
    C: QUIT
    S: 221 hamburger.edu closing connection
    S: (closed)
  `,
  )
  assert.equal(await bobHas(lab), 3)
})

test('L12 Bob collects his two letters by hand, and a reset brings them back', async (t) => {
  const lab = await openLab(t, 'today')
  const pop3 = parseEndpoint(lab.line.servers[1]!.pop3!)
  const speaker = await speakTo(pop3)
  const ask = async (command: string, ...answers: string[]) => {
    speaker.send(`${command}\r\n`)
    for (const answer of answers) await speaker.expect(answer)
  }
  await speaker.expect('+OK POP3 server ready')
  await ask('user bob', '+OK')
  await ask('pass hungry', '+OK user successfully logged on')
  await ask('list', '+OK <…>', '1 498', '2 912', '.')
  await ask('dele 1', '+OK <…>')
  await ask('dele 2', '+OK <…>')
  await ask('quit', '+OK POP3 server signing off')
  assert.equal(await bobHas(lab), 0)
  await lab.reset()
  await lab.reset()
  assert.equal(await bobHas(lab), 2)
})

test('L8 Alice’s letter goes six steps, and its way shows them all', async (t) => {
  const lab = await openLab(t, 'today')
  await submit(lab, 'From: alice@crepes.fr\nTo: bob@hamburger.edu\nSubject: Ketchup?\n\nDo you like ketchup?')
  await arrived(lab)
  await replay(
    parseEndpoint(lab.line.servers[1]!.pop3!),
    `
    S: +OK POP3 server ready
    C: user bob
    S: +OK
    C: pass hungry
    S: +OK user successfully logged on
    C: retr 3
    S: +OK <…>
    S: Return-Path: <alice@crepes.fr>
  `,
  )
  const way = await waitFor(async () => {
    const seen = await wayOf(lab)
    return seen.state === 'collected' && dialogueOf(seen, 'spoken')?.seenByBoth ? seen : null
  }, 'the whole way')
  const text = formatWay(way, noStyle, true)
  const expected = [
    /^Way of “Ketchup\?” {2}alice@crepes\.fr → bob@hamburger\.edu {3}arrived after/,
    /\n1 Written +by alice@crepes\.fr, as <.*@mail\.crepes\.fr> {3}\[crepes\.fr, claimed\]/,
    /\n2 Handed in +by alice@crepes\.fr from 127\.0\.0\.1.*\n +signed for crepes\.fr with the key lab /,
    /\n {2}Queued +as \d+ for hamburger\.edu/,
    /\n3 Looked up +MX hamburger\.edu → 10 mail\.hamburger\.edu {3}\(good for 300 s\)/,
    /\n +A mail\.hamburger\.edu → 127\.0\.0\.1/,
    /\n {2}Connected +mail\.hamburger\.edu at 127\.0\.0\.1:25, which is 127\.0\.0\.1:\d+ here/,
    /\n {2}Secured +TLSv1\.3/,
    /certificate for mail\.hamburger\.edu from Posthorn Lab CA, trusted/,
    /\n4 Spoken +bob@hamburger\.edu: 250 2\.0\.0/,
    /\[seen by both servers\]\n +handshaking\n +S: 220 mail\.hamburger\.edu ESMTP/,
    /\n +transfer\n +C: MAIL FROM:<alice@crepes\.fr>/,
    /\n +closure\n +C: QUIT/,
    /SPF of crepes\.fr \(MAIL\): pass by ip4:127\.0\.0\.1/,
    /DKIM of crepes\.fr, selector lab: pass/,
    /DMARC of crepes\.fr: pass by dkim=crepes\.fr, spf=crepes\.fr; it asks for reject/,
    /\n {2}Filed +bob@hamburger\.edu: INBOX, UID 3 {3}\[hamburger\.edu\]/,
    /\n6 Collected +fetched by POP3 as message 3/,
  ]
  for (const pattern of expected) assert.match(text, pattern)
  assert.doesNotMatch(JSON.stringify(way), /strawberry|hungry|AGFsaWNl/)
})

function dialogueOf(way: Way, stage: string) {
  return way.stages.find((one) => one.stage === stage)?.dialogues[0]
}
