import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, test } from 'node:test'
import { decode, encode, type Packet } from 'dns-packet'
import { FakeClock, systemClock } from '../base/clock.ts'
import type { Endpoint } from '../base/config.ts'
import { silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { startAuthority } from './authority.ts'
import { answerPacket, type Zone } from './authority-answer.ts'
import { DnsFailure } from './resolver.ts'
import { createResolver, type ResolverOptions } from './stub-resolver.ts'

const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})

const hamburger: Zone = {
  origin: 'hamburger.example',
  ttlSeconds: 100,
  records: {
    'hamburger.example': {
      MX: [{ preference: 10, exchange: 'mx.hamburger.example' }],
      TXT: ['v=spf1 -all', 'k'.repeat(700), 'm'.repeat(900), '\xff\x00'],
    },
    'mx.hamburger.example': { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8::1'] },
    'www.hamburger.example': { CNAME: ['web.hamburger.example'] },
    'web.hamburger.example': { CNAME: ['mx.hamburger.example'] },
    'loop.hamburger.example': { CNAME: ['pool.hamburger.example'] },
    'pool.hamburger.example': { CNAME: ['loop.hamburger.example'] },
    'dangling.hamburger.example': { CNAME: ['nowhere.hamburger.example'] },
    'abroad.hamburger.example': { CNAME: ['mx.crepes.example'] },
    'null.hamburger.example': { MX: [{ preference: 0, exchange: '' }] },
    '_25._tcp.mx.hamburger.example': {
      TLSA: [{ usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(32).fill(7) }],
    },
    'broken.hamburger.example': 'servfail',
    'silent.hamburger.example': 'silent',
  },
}
const crepes: Zone = { origin: 'crepes.example', records: { 'mx.crepes.example': { A: ['192.0.2.9'] } } }
const reverse: Zone = {
  origin: '2.0.192.in-addr.arpa',
  records: { '1.2.0.192.in-addr.arpa': { PTR: ['mx.hamburger.example'] } },
}

async function authority(authentic = false): Promise<Endpoint> {
  const zones = [hamburger, crepes, reverse]
  const server = await startAuthority({ zones, address: '127.0.0.1', port: 0, authentic })
  closing.push(() => server.close())
  return server.endpoint
}

function resolverOf(servers: Endpoint[], options: Partial<ResolverOptions> = {}) {
  const world = { clock: systemClock, random: systemRandom, log: silentLog }
  const resolver = createResolver({
    servers,
    validating: false,
    ...world,
    timeoutMs: 5_000,
    attempts: 1,
    ...options,
  })
  closing.push(() => resolver.close())
  return resolver
}

/** A UDP server that answers as the test says; counts questions. */
async function udpServer(answer: (query: Packet, reply: (packet: Packet) => void, raw: Buffer) => void) {
  const socket = createSocket('udp4')
  let asked = 0
  socket.on('message', (packet: Buffer, from: RemoteInfo) => {
    asked++
    answer(decode(packet), (reply) => socket.send(encode(reply), from.port, from.address), packet)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  closing.push(() => socket.close())
  return { endpoint: { address: '127.0.0.1', port: socket.address().port }, asked: () => asked }
}

const good = (query: Packet, address = '192.0.2.1', ttl = 60): Packet => ({
  type: 'response',
  id: query.id ?? 0,
  questions: query.questions ?? [],
  answers: [{ type: 'A', name: query.questions![0]!.name, ttl, data: address }],
})

test('every type of record comes over UDP', async () => {
  const resolver = resolverOf([await authority()])
  const mx = await resolver.query('Hamburger.Example.', 'MX')
  assert.deepEqual(mx, {
    status: 'found',
    records: [{ preference: 10, exchange: 'mx.hamburger.example' }],
    ttl: 100,
    authentic: false,
    cached: false,
  })
  assert.deepEqual((await resolver.query('mx.hamburger.example', 'A')).records, ['192.0.2.1', '192.0.2.2'])
  assert.deepEqual((await resolver.query('mx.hamburger.example', 'AAAA')).records, ['2001:db8::1'])
  assert.deepEqual((await resolver.query('1.2.0.192.in-addr.arpa', 'PTR')).records, ['mx.hamburger.example'])
  assert.deepEqual((await resolver.query('null.hamburger.example', 'MX')).records, [
    { preference: 0, exchange: '' },
  ])
  assert.deepEqual((await resolver.query('hamburger.example', 'NS')).records, ['ns.hamburger.example'])
  assert.match(
    (await resolver.query('hamburger.example', 'SOA')).records[0]!,
    /^ns\.hamburger\.example hostmaster/,
  )
  assert.deepEqual((await resolver.query('www.hamburger.example', 'CNAME')).records, [
    'web.hamburger.example',
  ])
  assert.deepEqual((await resolver.query('_25._tcp.mx.hamburger.example', 'TLSA')).records, [
    { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(32).fill(7) },
  ])
})

test('an answer that is too long for UDP comes over TCP', async () => {
  const resolver = resolverOf([await authority()])
  const { records } = await resolver.query('hamburger.example', 'TXT')
  assert.deepEqual(records, ['v=spf1 -all', 'k'.repeat(700), 'm'.repeat(900), '\xff\x00'])
})

test('aliases are followed, within the answer and beyond it, and never for ever', async () => {
  const resolver = resolverOf([await authority()])
  assert.deepEqual((await resolver.query('www.hamburger.example', 'A')).records, ['192.0.2.1', '192.0.2.2'])
  assert.deepEqual((await resolver.query('abroad.hamburger.example', 'A')).records, ['192.0.2.9'])
  assert.equal((await resolver.query('www.hamburger.example', 'MX')).status, 'absent')
  assert.equal((await resolver.query('dangling.hamburger.example', 'A')).status, 'no-name')
  await assert.rejects(resolver.query('loop.hamburger.example', 'A'), DnsFailure)

  const endless = await udpServer((query, reply) => {
    const name = query.questions![0]!.name
    reply({ ...good(query), answers: [{ type: 'CNAME', name, ttl: 0, data: `x.${name}` }] })
  })
  await assert.rejects(resolverOf([endless.endpoint]).query('a.example', 'A'), { reason: 'malformed' })
  assert.equal(endless.asked(), 9)
})

test('a name that does not exist and a type that is absent are values, kept as long as the SOA says', async () => {
  const clock = new FakeClock()
  const resolver = resolverOf([await authority()], { clock })
  const nothing = { records: [], ttl: 60, authentic: false }
  assert.deepEqual(await resolver.query('nix.hamburger.example', 'A'), {
    status: 'no-name',
    cached: false,
    ...nothing,
  })
  assert.deepEqual(await resolver.query('mx.hamburger.example', 'MX'), {
    status: 'absent',
    cached: false,
    ...nothing,
  })
  assert.equal((await resolver.query('nix.hamburger.example', 'A')).cached, true)
  clock.advance(60_000)
  assert.equal((await resolver.query('nix.hamburger.example', 'A')).cached, false)
})

test('no answer is a failure and says which', async () => {
  const resolver = resolverOf([await authority()], { timeoutMs: 1_000 })
  const reason = (name: string) =>
    resolver.query(name, 'A').then(
      () => 'answer',
      (error) => (error instanceof DnsFailure ? error.reason : error),
    )
  assert.equal(await reason('broken.hamburger.example'), 'servfail')
  assert.equal(await reason('silent.hamburger.example'), 'timeout')
  assert.equal(await reason('elsewhere.example'), 'refused')
  assert.equal(await reason('bücher.example'), 'malformed')
  const nobody = resolverOf([{ address: '127.0.0.1', port: 9 }])
  await assert.rejects(nobody.query('a.example', 'A'), { reason: 'network' })
})

test('names that cannot exist do not exist, and nobody is asked', async () => {
  const server = await udpServer((query, reply) => reply(good(query)))
  const resolver = resolverOf([server.endpoint])
  for (const name of ['', '.', 'a..example', `${'a'.repeat(64)}.example`, 'a.'.repeat(130), 'x.invalid']) {
    assert.equal((await resolver.query(name, 'A')).status, 'no-name', name)
  }
  assert.deepEqual((await resolver.query('LocalHost', 'A')).records, ['127.0.0.1'])
  assert.deepEqual((await resolver.query('bob.localhost', 'AAAA')).records, ['::1'])
  assert.equal((await resolver.query('localhost', 'MX')).status, 'absent')
  assert.equal(server.asked(), 0)
})

test('the next server is asked when one is dead or refuses, and is preferred from then on', async () => {
  const dead = await udpServer(() => {})
  const refusing = await udpServer((query, reply) =>
    reply({ type: 'response', id: query.id!, flags: 5, questions: query.questions! }),
  )
  const alive = await udpServer((query, reply) => reply(good(query)))
  const resolver = resolverOf([dead.endpoint, refusing.endpoint, alive.endpoint], {
    timeoutMs: 1_000,
    attempts: 2,
  })
  assert.equal((await resolver.query('a.example', 'A')).status, 'found')
  assert.equal((await resolver.query('b.example', 'A')).status, 'found')
  assert.deepEqual([dead.asked(), refusing.asked(), alive.asked()], [1, 1, 2])
})

test('answers with another id, another question or no question are passed over', async () => {
  const server = await udpServer((query, reply) => {
    const { id = 0, questions = [] } = query
    reply({ ...good(query, '203.0.113.1'), id: id ^ 1 })
    reply({ ...good(query, '203.0.113.2'), questions: [{ type: 'A', name: 'other.example' }] })
    reply({ ...good(query, '203.0.113.3'), questions: [] })
    reply({ ...good(query, '203.0.113.4'), type: 'query' })
    reply({ ...good(query), questions })
  })
  assert.deepEqual((await resolverOf([server.endpoint]).query('a.example', 'A')).records, ['192.0.2.1'])
})

test('many wrong answers make the resolver ask over TCP', async () => {
  const liar = createSocket('udp4')
  liar.on('message', (packet: Buffer, from) => {
    const query = decode(packet)
    for (let i = 1; i <= 5; i++) {
      liar.send(
        encode({ ...good(query, '203.0.113.1'), id: (query.id! + i) % 65_536 }),
        from.port,
        from.address,
      )
    }
  })
  liar.bind(0, '127.0.0.1')
  await once(liar, 'listening')
  closing.push(() => liar.close())
  const tcp = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      const answer = answerPacket(chunk.subarray(2), [crepes], { octetsMax: 65_535, authentic: false })!
      socket.end(Buffer.concat([Uint8Array.of(answer.length >> 8, answer.length & 255), answer]))
    })
  })
  tcp.listen(liar.address().port, '127.0.0.1')
  await once(tcp, 'listening')
  closing.push(() => tcp.close())
  const resolver = resolverOf([{ address: '127.0.0.1', port: liar.address().port }])
  assert.deepEqual((await resolver.query('mx.crepes.example', 'A')).records, ['192.0.2.9'])
})

test('an answer from another address than the one asked is not seen', async () => {
  const stranger = createSocket('udp4')
  stranger.bind(0, '127.0.0.2')
  await once(stranger, 'listening')
  closing.push(() => stranger.close())
  const socket = createSocket('udp4')
  socket.on('message', (packet: Buffer, from) => {
    stranger.send(encode(good(decode(packet), '203.0.113.1')), from.port, from.address)
    setTimeout(() => socket.send(encode(good(decode(packet))), from.port, from.address), 30)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  closing.push(() => socket.close())
  const resolver = resolverOf([{ address: '127.0.0.1', port: socket.address().port }])
  assert.deepEqual((await resolver.query('a.example', 'A')).records, ['192.0.2.1'])
})

test('a server that does not know EDNS is asked again without it', async () => {
  const server = await udpServer((query, reply) => {
    if (query.additionals?.length) reply({ type: 'response', id: query.id!, flags: 1 })
    else reply(good(query))
  })
  assert.equal((await resolverOf([server.endpoint]).query('a.example', 'A')).status, 'found')
  assert.equal(server.asked(), 2)
})

test('the AD bit is asked for, and believed from loopback or a server declared validating only', async () => {
  const proven = await authority(true)
  assert.equal((await resolverOf([proven]).query('mx.hamburger.example', 'A')).authentic, true)
  assert.equal((await resolverOf([await authority()]).query('mx.hamburger.example', 'A')).authentic, false)
  const server = await udpServer((query, reply) => {
    const opt = query.additionals?.[0]
    assert(opt?.type === 'OPT' && opt.flag_do)
    reply(good(query))
  })
  await resolverOf([server.endpoint]).query('a.example', 'A')
})

test('answers are kept for their time to live, no longer, and equal questions are asked once', async () => {
  const clock = new FakeClock()
  const server = await udpServer((query, reply) => reply(good(query)))
  const resolver = resolverOf([server.endpoint], { clock })
  const [one, two] = await Promise.all([resolver.query('a.example', 'A'), resolver.query('A.example.', 'A')])
  assert.deepEqual(one, two)
  assert.equal(server.asked(), 1)
  clock.advance(59_000)
  const kept = await resolver.query('a.example', 'A')
  assert.deepEqual([kept.cached, kept.ttl, server.asked()], [true, 1, 1])
  clock.advance(1_000)
  assert.equal((await resolver.query('a.example', 'A')).cached, false)
  assert.equal(server.asked(), 2)
})

test('a failure is remembered for five seconds', async () => {
  const clock = new FakeClock()
  let broken = true
  const server = await udpServer((query, reply) => {
    reply(broken ? { type: 'response', id: query.id!, flags: 2, questions: query.questions! } : good(query))
  })
  const resolver = resolverOf([server.endpoint], { clock })
  await assert.rejects(resolver.query('a.example', 'A'), { reason: 'servfail' })
  broken = false
  await assert.rejects(resolver.query('a.example', 'A'), { reason: 'servfail' })
  assert.equal(server.asked(), 1)
  clock.advance(5_000)
  assert.equal((await resolver.query('a.example', 'A')).status, 'found')
})

test('closing ends what is under way', async () => {
  const silent = await udpServer(() => {})
  const resolver = resolverOf([silent.endpoint], { timeoutMs: 60_000 })
  const waiting = assert.rejects(resolver.query('a.example', 'A'), { reason: 'network' })
  setTimeout(() => resolver.close(), 20)
  await waiting
  await assert.rejects(resolver.query('b.example', 'A'), { reason: 'network' })
})

test('a thousand questions at once are all answered', async () => {
  const server = await udpServer((query, reply) => reply(good(query)))
  const resolver = resolverOf([server.endpoint], { timeoutMs: 3_000, attempts: 3 })
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, (_, i) => resolver.query(`n${i}.example`, 'A')),
  )
  assert(answers.every((answer) => answer.status === 'found'))
})
