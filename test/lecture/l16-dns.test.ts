/** L16: MX, A, AAAA, TXT and PTR, asked of the Lab's own name server over UDP and TCP. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { type DecodedPacket, decode, encode } from 'dns-packet'
import type { Endpoint } from '../../src/base/config.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { describeEvent } from '../../src/cli/way/describe.ts'
import { recordedResolver } from '../../src/dns/recorded-resolver.ts'
import type { RecordType } from '../../src/dns/resolver.ts'
import { createResolver } from '../../src/dns/stub-resolver.ts'
import { Recorder } from '../../src/journey/recorder.ts'
import { endpointOf, runProgram, startLabProcess } from '../harness/lab.ts'
import { requirePrograms } from '../harness/programs.ts'
import { doorsOf, letter, openStage, says, seenByBoth, submit, Talk, wayWith } from './stage.ts'

type Asked = Extract<RecordType, 'MX' | 'A' | 'AAAA' | 'TXT' | 'PTR'>

/** What is asked, what dig prints, and how a way tells it. */
const look: readonly (readonly [name: string, type: Asked, answers: readonly string[], told: string])[] = [
  ['hamburger.edu', 'MX', ['10 mail.hamburger.edu.'], '10 mail.hamburger.edu'],
  ['crepes.fr', 'MX', ['10 mail.crepes.fr.'], '10 mail.crepes.fr'],
  ['mail.hamburger.edu', 'A', ['127.0.0.1'], '127.0.0.1'],
  ['hamburger.edu', 'AAAA', ['::1'], '::1'],
  ['crepes.fr', 'TXT', ['"v=spf1 ip4:127.0.0.1 -all"'], 'v=spf1 ip4:127.0.0.1 -all'],
  ['_dmarc.hamburger.edu', 'TXT', ['"v=DMARC1; p=reject"'], 'v=DMARC1; p=reject'],
  [
    '1.0.0.127.in-addr.arpa',
    'PTR',
    ['mail.crepes.fr.', 'mail.hamburger.edu.'],
    'mail.crepes.fr, mail.hamburger.edu',
  ],
]

function question(name: string, type: Asked): Buffer {
  return encode({ type: 'query', id: 346, questions: [{ name, type, class: 'IN' }] })
}

/** What the declarations of dns-packet leave out. */
type Packet = DecodedPacket & { readonly rcode: string }

async function overUdp(server: Endpoint, packet: Buffer): Promise<Packet> {
  const socket = createSocket('udp4')
  try {
    socket.send(packet, server.port, server.address)
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
    return decode(answer) as Packet
  } finally {
    socket.close()
  }
}

/** RFC 1035 §4.2.2: two octets of length before the message. */
async function overTcp(server: Endpoint, packet: Buffer): Promise<Packet> {
  const talk = await Talk.to(server)
  talk.send(
    Buffer.concat([Buffer.from([packet.length >> 8, packet.length & 255]), packet]).toString('latin1'),
  )
  const head = Buffer.from(await talk.take(2), 'latin1')
  const answer = decode(Buffer.from(await talk.take(head.readUInt16BE()), 'latin1')) as Packet
  talk.hangUp()
  return answer
}

/** The records as dig would print them. */
function printed(packet: DecodedPacket): string[] {
  return (packet.answers ?? []).map((record) => {
    const { type, data } = record as { type: string; data: unknown }
    if (type === 'MX') {
      const { preference, exchange } = data as { preference: number; exchange: string }
      return `${preference} ${exchange}.`
    }
    if (type === 'TXT') return (data as Buffer[]).map((piece) => `"${piece.toString('latin1')}"`).join(' ')
    return type === 'PTR' ? `${data as string}.` : String(data)
  })
}

test('L16 the name server of the Lab answers over UDP and over TCP, for its own names only', async (t) => {
  const { lab } = await openStage(t, 'today')
  const server = endpointOf(lab.line.dns)
  for (const ask of [overUdp, overTcp]) {
    for (const [name, type, answers] of look) {
      const answer = await ask(server, question(name, type))
      const what = `${ask.name} ${type} ${name}`
      assert.deepEqual(
        [answer.id, answer.flag_qr, answer.flag_aa, answer.rcode],
        [346, true, true, 'NOERROR'],
        what,
      )
      assert.deepEqual(printed(answer), answers, what)
    }
    const none = await ask(server, question('mail.hamburger.edu', 'AAAA'))
    assert.deepEqual([none.rcode, none.answers!.length, none.authorities![0]!.type], ['NOERROR', 0, 'SOA'])
    const noName = await ask(server, question('pizza.hamburger.edu', 'A'))
    assert.equal(noName.rcode, 'NXDOMAIN')
    const foreign = await ask(server, question('elsewhere.example', 'MX'))
    assert.equal(foreign.rcode, 'REFUSED')
  }
})

test('L16 a way shows each question that was asked for a letter, with its answer', async (t) => {
  const { lab, env } = await openStage(t, 'today')
  await submit(doorsOf(lab.line, 'crepes.fr').submission, [letter('Whereto?')])
  await wayWith(env, ['last'], seenByBoth, 'the letter')
  const shown = await says(env, 'way', 'last')
  const said = shown.slice(shown.indexOf('3 Looked up'), shown.indexOf('  Connected')).split('\n')
  assert.match(said[0]!, /^3 Looked up +MX hamburger\.edu → 10 mail\.hamburger\.edu +\(good for 300 s\)/)
  const addresses = said.slice(1, 3).sort()
  assert.match(addresses[0]!, / A mail\.hamburger\.edu → 127\.0\.0\.1 +\(good for 300 s\)/)
  assert.match(addresses[1]!, / AAAA mail\.hamburger\.edu → none/)

  // Every type there is is told in the same way, also those that no letter has to ask for yet.
  const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
  const resolver = createResolver({ servers: [endpointOf(lab.line.dns)], validating: false, ...surroundings })
  t.after(() => resolver.close())
  for (const [name, type, , told] of look) {
    const recorder = new Recorder(systemClock, true)
    await recordedResolver(resolver, recorder).query(name, type)
    const events = recorder.take()
    assert.deepEqual(
      events.flatMap((event) => describeEvent(event)),
      [`${type} ${name} → ${told}   (good for 300 s)`],
    )
  }
})

test('L16 dig asks the Lab’s name server, over UDP and over TCP', async (t) => {
  if (!(await requirePrograms({ debian: { dig: 'dnsutils' } }, t))) return
  const lab = await startLabProcess(t)
  const { address, port } = endpointOf(lab.ready.dns)
  const dig = async (...args: string[]): Promise<string[]> => {
    const ran = await runProgram('dig', [`@${address}`, '-p', String(port), '+short', ...args])
    assert.equal(ran.code, 0, ran.stdout + ran.stderr)
    return ran.stdout.trimEnd().split('\n')
  }
  for (const transport of ['+notcp', '+tcp']) {
    for (const [name, type, answers] of look) {
      assert.deepEqual(
        (await dig(transport, name, type)).sort(),
        [...answers].sort(),
        `${transport} ${type} ${name}`,
      )
    }
    assert.deepEqual((await dig(transport, '-x', '127.0.0.1')).sort(), [
      'mail.crepes.fr.',
      'mail.hamburger.edu.',
    ])
  }
})
