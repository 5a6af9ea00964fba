/**
 * What senders notice while others misuse the door: 1,000 connections that say nothing, 1,000 that send an octet a
 * second, and 100 that are opened and closed again and again. p99 and memory with and without them, in turns.
 */
import { residentMegabytes } from './cpu.ts'
import type { FloodCounts } from './flood-clients.ts'
import type { LoadResult, SmtpJob } from './load.ts'
import { firstLine, portOf, spawnScript, startServer } from './server.ts'

const accounts = 10
const rounds = 3
const goalRatio = 2

const server = await startServer(accounts)
const port = portOf(server.line.servers[0]?.smtp)
const megabytes = (): number => residentMegabytes(server.pid)

async function load(first: number): Promise<LoadResult> {
  const job: SmtpJob = { kind: 'smtp', port, sessions: 20, letters: 3_000, octets: 10_000, accounts, first }
  return firstLine<LoadResult>(spawnScript('./load.ts', [JSON.stringify(job)]))
}

function show(name: string, { p50, p99, worst, done, seconds }: LoadResult, note = ''): void {
  const ms = (value: number | undefined) => `${(value ?? Number.NaN).toFixed(1).padStart(7)} ms`
  const rate = `${(done / seconds).toFixed(0).padStart(6)}/s`
  console.log(
    `${name.padEnd(22)} p50 ${ms(p50)}  p99 ${ms(p99)}  worst ${ms(worst)} ${rate}  ${megabytes().toFixed(0)} MB ${note}`,
  )
}

const ratios: number[] = []
try {
  await load(1)
  for (let round = 0; round < rounds; round++) {
    const quiet = await load(10_000 * (2 * round + 1))
    show('alone', quiet)
    const flood = spawnScript('./flood-clients.ts', [String(port)])
    const counts = await firstLine<FloodCounts>(flood)
    const besides = await load(10_000 * (2 * round + 2))
    show(
      'beside the flood',
      besides,
      `${counts.silent} silent, ${counts.slow} slow, ${counts.churning} come and go, ${counts.refused} refused`,
    )
    ratios.push((besides.p99 ?? Number.NaN) / (quiet.p99 ?? Number.NaN))
    flood.kill()
    await new Promise((resolve) => flood.once('close', resolve))
  }
} finally {
  await server.stop()
}
const median = ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? Number.NaN
console.log(
  `p99 beside the flood: ${median.toFixed(2)} x alone (goal <= ${goalRatio}: ${median <= goalRatio ? 'met' : 'MISSED'})`,
)
