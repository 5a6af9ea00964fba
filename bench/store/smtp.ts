/** Durable accepts by the doors of a whole server, and what others feel of them. */
import { cpuByThread } from '../cpu.ts'
import type { LoadResult, NoopJob, SmtpJob } from '../load.ts'
import { type BenchServer, firstLine, portOf, spawnScript, startServer } from '../server.ts'
import { median, type Surrounding } from './figure.ts'

const accounts = 100

export interface SmtpResult extends LoadResult {
  readonly perSecond: number
  readonly cpuUs: number
  /** Of each thread, for a message. */
  readonly threads: ReadonlyMap<string, number>
}

export type Load = Omit<SmtpJob, 'kind' | 'port'>

export async function measureLoad(pid: number, port: number, load: Load): Promise<SmtpResult> {
  const before = cpuByThread(pid)
  const job: SmtpJob = { kind: 'smtp', port, ...load }
  const result = await firstLine<LoadResult>(spawnScript('./load.ts', [JSON.stringify(job)]))
  // What is still written behind the last answer belongs to it.
  await new Promise((resolve) => setTimeout(resolve, 300))
  const threads = new Map<string, number>()
  for (const [name, seconds] of cpuByThread(pid))
    threads.set(name, ((seconds - (before.get(name) ?? 0)) / result.done) * 1e6)
  const cpuUs = threads.values().reduce((sum, one) => sum + one, 0)
  return { ...result, perSecond: result.done / result.seconds, cpuUs, threads }
}

export function describeThreads({ threads, p50, p99 }: SmtpResult): string {
  const us = (name: string) => (threads.get(name) ?? 0).toFixed(0)
  return (
    `sockets ${us('node-MainThread')}, writer ${us('writer-thread')}, journeys ${us('journeys-thread')}, ` +
    `index ${us('search-thread')} µs; p50 ${p50?.toFixed(1)}, p99 ${p99?.toFixed(1)} ms`
  )
}

export function smtpPort(server: BenchServer): number {
  return portOf(server.line.servers[0]?.smtp)
}

/** The one of several runs with the middle rate. */
export async function middleRun(rounds: number, run: () => Promise<SmtpResult>): Promise<SmtpResult> {
  const runs: SmtpResult[] = []
  for (let round = 0; round < rounds; round++) runs.push(await run())
  const middle = median(runs.map(({ perSecond }) => perSecond))
  return runs.find(({ perSecond }) => perSecond === middle)!
}

export async function measureSmtp({ say, sizes, quick }: Surrounding): Promise<void> {
  const rounds = quick ? 1 : 3
  const letters = Math.round(sizes.letters / (quick ? 1 : 4))
  const sink = spawnScript('./sink.ts')
  const server = await startServer(accounts + 1)
  try {
    const { smtp: sinkPort } = await firstLine<{ smtp: number }>(sink)
    const kept: Load = { sessions: 100, letters, octets: 10_000, accounts }
    const ofSink = await middleRun(rounds, () => measureLoad(sink.pid!, sinkPort, kept))
    const note = 'keeps nothing: what client and sockets take'
    say({ name: 'reference: sink, 100 kept', value: ofSink.perSecond, unit: '/s', cpuUs: ofSink.cpuUs, note })
    const measure = (load: Load) => middleRun(rounds, () => measureLoad(server.pid, smtpPort(server), load))
    await measure({ ...kept, letters: 1_000 })
    const tell = (name: string, goal: number, result: SmtpResult) =>
      say({
        ...{ name: `SMTP, ${name}`, value: result.perSecond, unit: '/s', goal: { atLeast: goal } },
        ...{ cpuUs: result.cpuUs, note: describeThreads(result) },
      })
    tell('1 session', 600, await measure({ ...kept, sessions: 1, letters: Math.round(letters / 5) }))
    const result = await measure(kept)
    tell('100 sessions, kept connections', 5_000, result)
    say({
      ...{ name: 'CPU of an accepted message', value: result.cpuUs, unit: 'µs', goal: { atMost: 200 } },
      note: `${(result.cpuUs / ofSink.cpuUs).toFixed(1)}x the sink`,
    })
    tell('100 at once, a connection each', 2_500, await measure({ ...kept, fresh: true }))
    await measureOthers(server, { ...kept, letters: letters * rounds }, say)
  } finally {
    sink.kill()
    await server.stop()
  }
}

/** 20 sessions that say NOOP every 5 ms, while 100 deliver as quickly as they can. */
async function measureOthers(server: BenchServer, load: Load, say: Surrounding['say']): Promise<void> {
  const port = portOf(server.line.servers[0]?.imap)
  const others = {
    kind: 'noop',
    port,
    user: `u${accounts + 1}@bench.test`,
    sessions: 20,
    everyMs: 5,
  } as const
  const alone = spawnScript('./load.ts', [JSON.stringify({ ...others, seconds: 1 } satisfies NoopJob)])
  const quiet = await firstLine<LoadResult>(alone)
  const delivering = measureLoad(server.pid, smtpPort(server), load)
  // After log-in and with all deliverers there.
  await new Promise((resolve) => setTimeout(resolve, 300))
  const seconds = Math.max(1, load.letters / 5_000)
  const noop = spawnScript('./load.ts', [JSON.stringify({ ...others, seconds } satisfies NoopJob)])
  const result = await firstLine<LoadResult>(noop)
  const { perSecond } = await delivering
  say({
    ...{
      name: 'NOOP of others, p99, under 100 deliverers',
      value: result.p99!,
      unit: 'ms',
      goal: { atMost: 10 },
    },
    note: `p50 ${result.p50!.toFixed(1)}, worst ${result.worst!.toFixed(0)} ms at ${perSecond.toFixed(0)}/s; without load p99 ${quiet.p99!.toFixed(1)} ms`,
  })
}
