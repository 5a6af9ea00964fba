/**
 * What a delivery costs in a store of millions of messages, beside one that is empty: two servers, in turns, so that the
 * noise of the machine falls on both. Neither has an index of the texts, which grows by itself.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { residentMegabytes } from '../cpu.ts'
import { ImapClient } from '../imap-client.ts'
import { type BenchServer, portOf, startServer } from '../server.ts'
import { median, quantile, type Surrounding } from './figure.ts'
import { copiedStore } from './prepare-store.ts'
import { describeThreads, type Load, measureLoad, smtpPort, type SmtpResult } from './smtp.ts'
import { inTemporaryFolder } from './use-store.ts'

const rateWanted = 5_000

export async function measureGrowth(surrounding: Surrounding): Promise<void> {
  const { sizes, quick, say } = surrounding
  const { growthAccounts: accounts, growthMessages: messages } = sizes
  const none = await copiedStore({ accounts, messages: 0, octets: 10_000 }, surrounding)
  const grown = await copiedStore({ accounts, messages, octets: 10_000 }, surrounding)
  await inTemporaryFolder(async (folder) => {
    // The empty one must stay empty; the other grows a little with every run.
    cpSync(none, join(folder, 'data'), { recursive: true, filter: (path) => !path.endsWith('.sock') })
    const servers = [await startServer(0, '', join(folder, 'data')), await startServer(0, '', grown)] as const
    try {
      const [empty, full] = servers
      await measureMemory(servers, accounts, messages, say)
      const load: Load = { sessions: 100, octets: 10_000, accounts, letters: Math.round(sizes.letters / 2) }
      // As many other recipients in each run: those of 3,000 letters would soon be in every cache.
      let first = 1
      const run = (server: BenchServer) => measureLoad(server.pid, smtpPort(server), { ...load, first })
      for (const server of servers) await run(server)
      const runs: [SmtpResult[], SmtpResult[]] = [[], []]
      for (let round = 0; round < (quick ? 2 : 4); round++) {
        first += load.letters
        for (const [which, server] of [empty, full].entries()) runs[which]!.push(await run(server))
      }
      tell(runs, messages, say)
    } finally {
      for (const server of servers) await server.stop()
    }
  })
}

function tell(
  [empty, full]: readonly [SmtpResult[], SmtpResult[]],
  messages: number,
  say: Surrounding['say'],
): void {
  const middle = (runs: SmtpResult[], pick: (run: SmtpResult) => number) => median(runs.map(pick))
  const rate = (run: SmtpResult) => run.perSecond
  const writer = (run: SmtpResult) => run.threads.get('writer-thread') ?? 0
  const [emptyRate, fullRate] = [middle(empty, rate), middle(full, rate)]
  const size = `${(messages / 1e6).toLocaleString('en')} million`
  say({
    ...{
      name: 'accepts, empty store, 100 kept',
      value: emptyRate,
      unit: '/s',
      cpuUs: middle(empty, (one) => one.cpuUs),
    },
    note: describeThreads(empty[0]!),
  })
  say({
    ...{
      name: `accepts, ${size} messages, 100 kept`,
      value: fullRate,
      unit: '/s',
      goal: { atLeast: rateWanted },
    },
    ...{ cpuUs: middle(full, (one) => one.cpuUs), note: describeThreads(full[0]!) },
  })
  say({
    ...{ name: 'the same, of the empty one', value: fullRate / emptyRate, unit: 'x', goal: { atLeast: 0.7 } },
    note: `each of ${full.length} pairs: ${full.map((one, i) => (one.perSecond / empty[i]!.perSecond).toFixed(2)).join(' ')}`,
  })
  const [emptyCpu, fullCpu] = [middle(empty, writer), middle(full, writer)]
  say({
    ...{ name: "writer's CPU for a delivery, of the empty one", value: fullCpu / emptyCpu, unit: 'x' },
    ...{ goal: { atMost: 3 }, note: `${fullCpu.toFixed(0)} µs, empty ${emptyCpu.toFixed(0)} µs` },
  })
  const p99 = (runs: SmtpResult[]) =>
    quantile(
      runs.map((one) => one.p99!),
      0.5,
    )
  say({ name: 'p99 of an accept', value: p99(full), unit: 'ms', note: `empty ${p99(empty).toFixed(0)} ms` })
}

/** Follows what is selected, not what is stored. */
async function measureMemory(
  [empty, full]: readonly [BenchServer, BenchServer],
  accounts: number,
  messages: number,
  say: Surrounding['say'],
): Promise<void> {
  const [ofEmpty, started] = [residentMegabytes(empty.pid), residentMegabytes(full.pid)]
  const clients: ImapClient[] = []
  const count = Math.min(100, accounts)
  for (let n = 1; n <= count; n++)
    clients.push(await ImapClient.connect(portOf(full.line.servers[0]?.imap), `u${n}@bench.test`, 'pw'))
  const loggedIn = residentMegabytes(full.pid)
  for (const client of clients) await client.command('SELECT INBOX')
  const selected = residentMegabytes(full.pid)
  for (const client of clients) client.close()
  say({
    ...{ name: `memory, started with ${messages.toLocaleString('en')} stored`, value: started, unit: 'MB' },
    goal: { atMost: 150 },
    note:
      `with none ${ofEmpty.toFixed(0)} MB; ${count} passwords checked ${loggedIn.toFixed(0)}, ` +
      `each with ${Math.round(messages / accounts)} selected ${selected.toFixed(0)} MB`,
  })
}
