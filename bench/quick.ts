/**
 * Twenty seconds that tell whether a change made the server dearer: CPU per accepted message and per 1,000 FETCH lines,
 * against a sink without storage in the same run, so that the noise of the machine falls on both.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpuSeconds, residentMegabytes } from './cpu.ts'
import type { FetchJob, LoadResult, SmtpJob } from './load.ts'
import { firstLine, portOf, spawnScript, startServer } from './server.ts'

const baselineFile = new URL('./quick-baseline.json', import.meta.url)
const accounts = 10
const rounds = 3

interface Figures {
  /** CPU µs of the server for each. */
  acceptUs: number
  fetchUs: number
  sinkAcceptUs: number
  sinkFetchUs: number
  acceptsPerSecond: number
  fetchLinesPerSecond: number
  idleMegabytes: number
}

async function measure(pid: number, job: SmtpJob | FetchJob): Promise<{ cpuUs: number; perSecond: number }> {
  const before = cpuSeconds(pid)
  const result = await firstLine<LoadResult>(spawnScript('./load.ts', [JSON.stringify(job)]))
  // What is still written behind the last answer belongs to it.
  await new Promise((resolve) => setTimeout(resolve, 200))
  return { cpuUs: ((cpuSeconds(pid) - before) / result.done) * 1e6, perSecond: result.done / result.seconds }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

async function run(): Promise<Figures> {
  const sink = spawnScript('./sink.ts')
  const sinkPorts = await firstLine<{ smtp: number; imap: number }>(sink)
  const server = await startServer(accounts)
  const [line] = server.line.servers
  const idleMegabytes = residentMegabytes(server.pid)
  try {
    const smtp = { kind: 'smtp', sessions: 20, octets: 10_000, accounts } as const
    const fetch = { kind: 'fetch', user: 'u1@bench.test', times: 20 } as const
    const accepts: { cpuUs: number; perSecond: number }[] = []
    const sinkAccepts: number[] = []
    await measure(server.pid, { ...smtp, port: portOf(line?.smtp), letters: 1_000 })
    for (let round = 0; round < rounds; round++) {
      sinkAccepts.push((await measure(sink.pid!, { ...smtp, port: sinkPorts.smtp, letters: 3_000 })).cpuUs)
      accepts.push(await measure(server.pid, { ...smtp, port: portOf(line?.smtp), letters: 3_000 }))
    }
    // A mailbox to list; letters of 1 KB.
    await measure(server.pid, {
      ...smtp,
      port: portOf(line?.smtp),
      letters: 10_000,
      octets: 1_000,
      accounts: 1,
    })
    const fetches: { cpuUs: number; perSecond: number }[] = []
    const sinkFetches: number[] = []
    for (let round = 0; round < rounds; round++) {
      sinkFetches.push((await measure(sink.pid!, { ...fetch, port: sinkPorts.imap })).cpuUs)
      fetches.push(await measure(server.pid, { ...fetch, port: portOf(line?.imap) }))
    }
    return {
      acceptUs: median(accepts.map((one) => one.cpuUs)),
      fetchUs: median(fetches.map((one) => one.cpuUs)) * 1_000,
      sinkAcceptUs: median(sinkAccepts),
      sinkFetchUs: median(sinkFetches) * 1_000,
      acceptsPerSecond: median(accepts.map((one) => one.perSecond)),
      fetchLinesPerSecond: median(fetches.map((one) => one.perSecond)),
      idleMegabytes,
    }
  } finally {
    sink.kill()
    await server.stop()
  }
}

function readBaseline(): Figures | null {
  try {
    return JSON.parse(readFileSync(baselineFile, 'utf8')) as Figures
  } catch {
    return null
  }
}

const figures = await run()
const baseline = readBaseline()
const row = (
  name: string,
  value: number,
  sink: number | null,
  was: number | undefined,
  wasSink: number | undefined,
): void => {
  const ratio = sink === null ? '' : `${(value / sink).toFixed(2)}x the sink`
  const now = sink === null ? value : value / sink
  const then = was === undefined ? undefined : wasSink === undefined ? was : was / wasSink
  const change =
    then === undefined
      ? ''
      : `${now >= then ? '+' : ''}${((now / then - 1) * 100).toFixed(0)} % since the baseline`
  console.log(`${name.padEnd(34)} ${value.toFixed(1).padStart(10)}  ${ratio.padEnd(16)} ${change}`)
}
row(
  'CPU µs per accepted 10 KB message',
  figures.acceptUs,
  figures.sinkAcceptUs,
  baseline?.acceptUs,
  baseline?.sinkAcceptUs,
)
row(
  'CPU µs per 1,000 FETCH lines',
  figures.fetchUs,
  figures.sinkFetchUs,
  baseline?.fetchUs,
  baseline?.sinkFetchUs,
)
row('accepts/s, 20 kept connections', figures.acceptsPerSecond, null, baseline?.acceptsPerSecond, undefined)
row('FETCH lines/s', figures.fetchLinesPerSecond, null, baseline?.fetchLinesPerSecond, undefined)
row('memory of the idle server, MB', figures.idleMegabytes, null, baseline?.idleMegabytes, undefined)
if (process.argv.includes('--save')) writeFileSync(baselineFile, `${JSON.stringify(figures, null, 2)}\n`)
if (process.argv.includes('--json')) console.log(JSON.stringify(figures))
