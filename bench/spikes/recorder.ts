/** What recording a journey costs: the same load on a server that records everything and on one that records nothing. */
import { cpuSeconds } from '../cpu.ts'
import type { LoadResult, SmtpJob } from '../load.ts'
import { firstLine, portOf, spawnScript, startServer } from '../server.ts'

const rounds = 5
const job: Omit<SmtpJob, 'port'> = {
  kind: 'smtp',
  sessions: 20,
  letters: 3_000,
  octets: 10_000,
  accounts: 10,
}
const servers = {
  full: await startServer(job.accounts),
  off: await startServer(job.accounts, '[journey]\nlevel = "off"\n'),
}

async function measure(server: (typeof servers)['full']): Promise<{ cpuUs: number; perSecond: number }> {
  const before = cpuSeconds(server.pid)
  const load = spawnScript('./load.ts', [
    JSON.stringify({ ...job, port: portOf(server.line.servers[0]?.smtp) }),
  ])
  const result = await firstLine<LoadResult>(load)
  await new Promise((resolve) => setTimeout(resolve, 500))
  return {
    cpuUs: ((cpuSeconds(server.pid) - before) / result.done) * 1e6,
    perSecond: result.done / result.seconds,
  }
}

const figures: Record<'full' | 'off', { cpuUs: number; perSecond: number }[]> = { full: [], off: [] }
for (const name of ['full', 'off'] as const) await measure(servers[name])
for (let round = 0; round < rounds; round++) {
  for (const name of ['full', 'off'] as const) figures[name].push(await measure(servers[name]))
}
const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!
for (const name of ['full', 'off'] as const) {
  const cpu = median(figures[name].map((one) => one.cpuUs))
  const rate = median(figures[name].map((one) => one.perSecond))
  console.log(`${name.padEnd(5)} ${cpu.toFixed(0)} µs CPU a message, ${rate.toFixed(0)} messages/s`)
}
await Promise.all(Object.values(servers).map((server) => server.stop()))
