/** A large mailbox by IMAP: cold and warm SELECT, FETCH, STORE, SEARCH. */
import { cpuByThread } from '../cpu.ts'
import { type Answer, ImapClient } from '../imap-client.ts'
import { type BenchServer, portOf, startServer } from '../server.ts'
import { type Figure, median, type Surrounding } from './figure.ts'
import { copiedStore, deliveredStore } from './prepare-store.ts'
import { wordOf } from './use-store.ts'

interface Measured {
  readonly ms: number
  /** CPU of the sockets' thread and of all, milliseconds. */
  readonly mainMs: number
  readonly cpuMs: number
  readonly answer: Answer
}

const user = 'u1@bench.test'
/** What takes longer than this is not measured again. */
const secondsEach = 5

function connectTo(server: BenchServer): Promise<ImapClient> {
  return ImapClient.connect(portOf(server.line.servers[0]?.imap), user, 'pw')
}

async function timed(server: BenchServer, client: ImapClient, line: string): Promise<Measured> {
  const before = cpuByThread(server.pid)
  const begin = performance.now()
  const answer = await client.command(line)
  const ms = performance.now() - begin
  let [cpuMs, mainMs] = [0, 0]
  for (const [name, seconds] of cpuByThread(server.pid)) {
    const used = (seconds - (before.get(name) ?? 0)) * 1_000
    cpuMs += used
    if (name === 'node-MainThread') mainMs += used
  }
  return { ms, mainMs, cpuMs, answer }
}

/** A server that has just been started: its caches are empty, the system's are not. */
async function measureSelect(folder: string, messages: number, rounds: number, say: Surrounding['say']) {
  const [cold, warm]: [Measured[], Measured[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const server = await startServer(0, '', folder)
    try {
      const client = await connectTo(server)
      cold.push(await timed(server, client, 'SELECT INBOX'))
      await client.command('UNSELECT')
      warm.push(await timed(server, client, 'SELECT INBOX'))
      client.close()
    } finally {
      await server.stop()
    }
  }
  const size = messages.toLocaleString('en')
  const goal: Pick<Figure, 'goal'> = messages === 100_000 ? { goal: { atMost: 100 } } : {}
  say({ ...figureOf(`SELECT of ${size}, cold`, cold, messages), ...goal })
  say(figureOf(`SELECT of ${size}, warm`, warm, messages))
}

function figureOf(name: string, runs: readonly Measured[], per: number): Figure {
  const of = (pick: (one: Measured) => number) => median(runs.map(pick))
  return {
    ...{ name, value: of(({ ms }) => ms), unit: 'ms', cpuUs: (of(({ cpuMs }) => cpuMs) / per) * 1_000 },
    note: `sockets' thread ${of(({ mainMs }) => mainMs).toFixed(0)} ms of CPU; slowest ${Math.max(...runs.map(({ ms }) => ms)).toFixed(0)} ms`,
  }
}

export async function measureImap(surrounding: Surrounding): Promise<void> {
  const { say, sizes, quick } = surrounding
  const messages = sizes.mailbox
  const rounds = quick ? 2 : 5
  const folder = await deliveredStore({ accounts: 1, messages, octets: 2_000 }, surrounding)
  await measureSelect(folder, messages, rounds, say)
  const large = await copiedStore({ accounts: 1, messages: sizes.largeMailbox, octets: 2_000 }, surrounding)
  await measureSelect(large, sizes.largeMailbox, quick ? 1 : 3, say)
  const server = await startServer(0, '', folder)
  try {
    const client = await connectTo(server)
    await client.command('SELECT INBOX')
    const repeat = async (
      name: string,
      line: string,
      per: number,
      goal: NonNullable<Figure['goal']>,
      back?: string,
    ) => {
      const runs: Measured[] = []
      const end = performance.now() + secondsEach * 1_000
      for (let round = 0; round < rounds && (round === 0 || performance.now() < end); round++) {
        if (back !== undefined) await client.command(back)
        runs.push(await timed(server, client, line))
      }
      // The goals are of 100,000.
      const whole = messages === 100_000 ? { goal } : {}
      say({ ...figureOf(name, runs, per), ...whole })
    }
    await client.command('UID STORE 1:* -FLAGS.SILENT (\\Flagged)')
    await repeat('FETCH 1:* (UID FLAGS)', 'FETCH 1:* (UID FLAGS)', messages, { atMost: 40 })
    await repeat('FETCH 1:* ENVELOPE', 'FETCH 1:* ENVELOPE', messages, { atMost: 300 })
    const unflag = 'UID STORE 1:* -FLAGS.SILENT (\\Flagged)'
    await repeat(
      'STORE 1:* +FLAGS, with replies',
      'STORE 1:* +FLAGS (\\Flagged)',
      messages,
      { atMost: 400 },
      unflag,
    )
    await client.command(unflag)
    await measureStoreOne(server, client, surrounding)
    await client.command(unflag)
    for (const [name, needle] of [
      ['a rare word', wordOf(19_990)],
      ['a common word', wordOf(20)],
      ['no such word', 'qqqq'],
    ])
      await repeat(`UID SEARCH TEXT, ${name}`, `UID SEARCH TEXT ${needle}`, 1, { atMost: 50 })
    client.close()
  } finally {
    await server.stop()
  }
}

async function measureStoreOne(server: BenchServer, client: ImapClient, { say, quick, sizes }: Surrounding) {
  const count = quick ? 300 : 2_000
  const before = cpuByThread(server.pid)
  const begin = performance.now()
  for (let n = 0; n < count; n++)
    await client.command(`STORE ${1 + ((n * 37) % sizes.mailbox)} +FLAGS.SILENT (\\Flagged)`)
  const seconds = (performance.now() - begin) / 1_000
  const after = cpuByThread(server.pid)
  let cpu = 0
  for (const [name, used] of after) cpu += used - (before.get(name) ?? 0)
  say({
    ...{
      name: 'STORE one +FLAGS, one session',
      value: count / seconds,
      unit: '/s',
      goal: { atLeast: 1_500 },
    },
    ...{
      cpuUs: (cpu / count) * 1e6,
      note: `each waits for the one before: ${((seconds / count) * 1e3).toFixed(2)} ms`,
    },
  })
}
