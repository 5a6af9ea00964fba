import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventData, Journey, JourneyEvent, Kind, Link, Stage } from '../../journey/event.ts'
import { AdminDoor } from '../admin-door.ts'
import { noStyle } from '../terminal.ts'
import { formatWay } from './format.ts'
import { gatherWay, readQuery } from './gather.ts'
import { followWay, hasEnded } from './live.ts'
import { mergeWay, type Way } from './merge.ts'

const link: Link = { client: '127.0.0.1:40000', server: '127.0.0.1:2526', transaction: 0 }
const lines = [
  { side: 'S', text: '220 hamburger.edu', dtUs: 0 },
  { side: 'C', text: 'HELO crepes.fr', dtUs: 400 },
  { side: 'C', text: 'MAIL FROM: <alice@crepes.fr>', dtUs: 900 },
  { side: 'C', text: 'QUIT', dtUs: 1_400 },
]

function event(at: number, stage: Stage, kind: Kind, data: EventData = {}, branch?: string): JourneyEvent {
  const witness = 'observed' as const
  return {
    at,
    dtUs: at * 1000,
    stage,
    kind,
    witness,
    visibleTo: ['admin'],
    data,
    ...(branch ? { branch } : {}),
  }
}

const outgoing: Journey = {
  journeyId: 'out',
  startedAt: 1000,
  facts: {
    ...{ direction: 'out', state: 'delivered', messageId: '<1@crepes.fr>', subject: 'Ketchup?' },
    ...{ reversePath: 'alice@crepes.fr', recipients: ['bob@hamburger.edu'], links: [link], queueIds: [7] },
  },
  events: [
    event(1000, 'secured', 'tls.done', { version: 'TLSv1.3', cipher: 'A' }),
    event(1001, 'handed-in', 'submit', { login: 'alice@crepes.fr', client: '127.0.0.1', octets: 42 }),
    event(1002, 'queued', 'queue.in', { queueId: 7, domain: 'hamburger.edu' }),
    event(1003, 'queued', 'attempt.start', { queueId: 7, attempt: 1 }),
    event(1004, 'looked-up', 'dns.ask', { name: 'hamburger.edu', type: 'MX' }),
    event(1005, 'looked-up', 'dns.answer', {
      ...{ name: 'hamburger.edu', type: 'MX', status: 'found', ttl: 300 },
      records: [{ preference: 10, exchange: 'mail.hamburger.edu' }],
    }),
    event(1006, 'connected', 'tcp.open', {
      ...{ ok: true, hostname: 'mail.hamburger.edu', address: '127.0.0.1', port: 25 },
      ...{ local: link.client, remote: link.server, ms: 1 },
    }),
    event(1007, 'secured', 'tls.done', {
      ...{ ok: true, version: 'TLSv1.3', cipher: 'B', serverName: 'mail.hamburger.edu', names: ['x'] },
      ...{ issuer: 'CN=Posthorn Lab CA', trusted: true, reason: null },
    }),
    event(1008, 'spoken', 'wire', { ...link, lines }),
    event(1009, 'spoken', 'attempt.end', { outcome: 'delivered', text: '250 Ok' }, 'bob@hamburger.edu'),
  ],
}

const incoming: Journey = {
  journeyId: 'in',
  startedAt: 900,
  facts: { direction: 'in', state: 'delivered', recipients: ['bob@hamburger.edu'], links: [link] },
  events: [
    event(1007, 'secured', 'tls.done', { version: 'TLSv1.3', cipher: 'B' }),
    event(1008, 'spoken', 'wire', { ...link, lines }),
    event(1041, 'filed', 'file', { mailbox: 'INBOX', uid: 3 }, 'bob@hamburger.edu'),
    event(1090, 'collected', 'collect.pop3', {
      ...{ messageNumber: 1, client: '127.0.0.1:5', retrieved: true, deleted: true, tls: null },
      lines: [{ side: 'C', text: 'retr 1', dtUs: 0 }],
    }),
  ],
}

/** A server that knows these journeys. */
function door(name: string, journeys: readonly Journey[]): AdminDoor {
  return new AdminDoor(name, true, async (_method, path) => {
    const query = new URL(path, 'http://x').searchParams
    const found = journeys.filter(({ journeyId, facts }) => {
      if (query.has('id')) return journeyId === query.get('id')
      if (query.has('client')) return facts.links?.some(({ client }) => client === query.get('client'))
      return true
    })
    return { status: 200, text: JSON.stringify({ journeys: found }) }
  })
}

const doors = [door('crepes.fr', [outgoing]), door('hamburger.edu', [incoming])]

async function theWay(): Promise<Way> {
  return mergeWay(await gatherWay(doors, {}))
}

test('the journeys of two servers are joined by the connection between them, whichever is found first', async () => {
  const seen = await gatherWay(doors, { id: 'in' })
  assert.deepEqual(new Set(seen.map(({ journey }) => journey.journeyId)), new Set(['in', 'out']))
  const stranger = door('crepes.fr', [{ ...outgoing, facts: { ...outgoing.facts, links: [] } }])
  assert.equal((await gatherWay([stranger, doors[1]!], { id: 'out' })).length, 1)
  assert.deepEqual(await gatherWay([door('crepes.fr', [])], {}), [])
})

test('L8 the six steps of a letter are shown in order, with what was seen of each', async () => {
  const text = formatWay(await theWay(), noStyle, false)
  assert.equal(
    text,
    `Way of “Ketchup?”  alice@crepes.fr → bob@hamburger.edu   arrived after 141 ms

1 Written     by alice@crepes.fr, as <1@crepes.fr>   [crepes.fr, claimed]
2 Handed in   TLSv1.3, A   [crepes.fr]
              by alice@crepes.fr from 127.0.0.1, 42 B   [crepes.fr]
  Queued      as 7 for hamburger.edu   [crepes.fr]
3 Looked up   MX hamburger.edu → 10 mail.hamburger.edu   (good for 300 s)   [crepes.fr]
  Connected   mail.hamburger.edu at 127.0.0.1:25, which is 127.0.0.1:2526 here, from 127.0.0.1:40000, 1 ms   [crepes.fr]
  Secured     TLSv1.3, B   [crepes.fr]
              certificate for mail.hamburger.edu from Posthorn Lab CA, trusted   [crepes.fr]
4 Spoken      bob@hamburger.edu: 250 Ok   [crepes.fr]
              4 lines, seen by both servers
5 Judged      not judged: from somebody trusted, or not asked to
  Filed       bob@hamburger.edu: INBOX, UID 3   [hamburger.edu]
6 Collected   fetched and deleted by POP3 as message 1, from 127.0.0.1:5   [hamburger.edu]
              1 line, hamburger.edu

--wire shows what was said, line by line.
`,
  )
})

test('L6 --wire names the three phases of the dialogue and times its lines', async () => {
  const text = formatWay(await theWay(), noStyle, true)
  assert.match(
    text,
    new RegExp(
      [
        'seen by both servers\\]',
        ' +handshaking',
        ' +S: 220 hamburger.edu',
        ' +C: HELO crepes.fr  \\+0.4 ms',
        ' +transfer',
        ' +C: MAIL FROM: <alice@crepes.fr>',
        ' +closure',
        ' +C: QUIT',
      ].join('\\n'),
    ),
  )
  assert.doesNotMatch(text, /--wire/)
})

test('what strangers wrote cannot steer the terminal', () => {
  const evil = { ...outgoing, facts: { ...outgoing.facts, subject: 'a\x1b[2Jb' } }
  assert.doesNotMatch(formatWay(mergeWay([{ server: '', journey: evil }]), noStyle, true), /\x1b/)
})

test('a journey of events yet unknown is still shown', () => {
  const odd = event(1, 'judged', 'spam', { score: 3 })
  const way = mergeWay([{ server: '', journey: { journeyId: 'x', startedAt: 0, facts: {}, events: [odd] } }])
  assert.match(formatWay(way, noStyle, false), /5 Judged +spam \{"score":3\}/)
})

test('an empty stage says why it is empty', () => {
  const emptyOf = (journey: Journey): string[] =>
    formatWay(mergeWay([{ server: '', journey }]), noStyle, false)
      .split('\n')
      .filter((line) => /^(?: |\d) (?:Queued|Looked up|Connected|Secured|Spoken) /.test(line))
      .map((line) => line.slice(14))
  const without = (...stages: Stage[]): Journey['events'] =>
    outgoing.events.filter(({ stage }) => !stages.includes(stage))
  const there = 'on the server it came from'
  assert.deepEqual(emptyOf({ ...incoming, events: incoming.events.slice(1) }).slice(0, 4), [
    ...[there, there, there, 'no: in the clear'],
  ])
  const onTheWay = without('looked-up', 'connected', 'secured', 'spoken')
  const waiting = { ...outgoing, facts: { ...outgoing.facts, state: 'queued' as const }, events: onTheWay }
  assert.deepEqual(
    emptyOf(waiting).slice(1),
    Array.from({ length: 4 }, () => 'not yet'),
  )
  const [, submit] = outgoing.events
  const local = { ...outgoing, events: [submit!, event(1010, 'filed', 'file', { mailbox: 'INBOX', uid: 1 })] }
  assert.deepEqual(
    emptyOf(local),
    Array.from({ length: 5 }, () => 'no need to: it stayed here'),
  )
  const inTheClear = { ...outgoing, events: without('secured') }
  assert.equal(emptyOf(inTheClear)[3], 'no: in the clear')
  const unreachable = { ...outgoing, facts: { ...outgoing.facts, state: 'retrying' as const } }
  assert.equal(emptyOf({ ...unreachable, events: without('connected', 'secured') })[3], 'not yet')
})

test('a message is named in the four ways people have', () => {
  assert.deepEqual(readQuery('last'), [{ refused: '0' }, {}])
  assert.deepEqual(readQuery('a@b'), [{ messageId: '<a@b>' }])
  assert.deepEqual(readQuery('<a@b>'), [{ messageId: '<a@b>' }])
  assert.deepEqual(readQuery('12'), [{ queueId: '12' }, { id: '12' }])
  assert.deepEqual(readQuery('1M83HTG75CEAZ1EF'), [{ id: '1m83htg75ceaz1ef' }])
})

test('--live shows each fact once and ends when the letter has arrived', async () => {
  const arrived = { ...incoming, events: incoming.events.slice(0, 3) }
  const stages = [
    null,
    mergeWay([{ server: 'a', journey: { ...outgoing, facts: { ...outgoing.facts, state: 'moving' } } }]),
  ]
  const end = mergeWay([
    { server: 'a', journey: outgoing },
    { server: 'b', journey: arrived },
  ])
  const shown: string[] = []
  let looks = 0
  const way = await followWay({
    look: async () => (looks < stages.length ? stages[looks++]! : end),
    show: (line) => shown.push(line),
    style: noStyle,
    wait: async () => {},
    timeoutMs: 10_000,
  })
  assert.equal(way, end)
  assert.equal(looks, 2)
  assert.equal(new Set(shown).size, shown.length)
  assert.match(shown.at(-1) ?? '', /^filed +bob@hamburger\.edu: INBOX, UID 3$/)
})

test('a letter that was refused, waits or went to a stranger has ended', () => {
  const withState = (state: 'refused' | 'retrying' | 'delivered' | 'moving') =>
    hasEnded(mergeWay([{ server: '', journey: { ...outgoing, facts: { ...outgoing.facts, state } } }]))
  assert.deepEqual((['refused', 'retrying', 'delivered', 'moving'] as const).map(withState), [
    true,
    true,
    true,
    false,
  ])
})
