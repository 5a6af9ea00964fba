/** Runs one load in a process of its own, so that its CPU is not the server's. Arguments: JSON. Prints JSON. */
import { startLoad } from '../test/harness/smtp-load.ts'
import { ImapClient } from './imap-client.ts'

export interface SmtpJob {
  readonly kind: 'smtp'
  readonly port: number
  readonly sessions: number
  readonly letters: number
  readonly octets: number
  readonly accounts: number
  /** Of the recipients; bench.test when absent. */
  readonly domain?: string
  readonly message?: string
  /** Number of the first letter, by which its recipient is chosen; 1 when absent. */
  readonly first?: number
  /** A connection for each letter, instead of one that is kept. */
  readonly fresh?: boolean
}

/** Sessions that only wait for the answers to NOOP. */
export interface NoopJob {
  readonly kind: 'noop'
  readonly port: number
  readonly user: string
  readonly sessions: number
  readonly everyMs: number
  readonly seconds: number
}

export interface FetchJob {
  readonly kind: 'fetch'
  readonly port: number
  readonly user: string
  readonly times: number
}

export interface LoadResult {
  readonly seconds: number
  readonly done: number
  /** Of the answers, milliseconds; of SMTP's the one to the last dot. */
  readonly p50?: number
  readonly p99?: number
  readonly worst?: number
}

async function smtp(job: SmtpJob): Promise<LoadResult> {
  const sentAt = new Map<number, number>()
  const times: number[] = []
  const startedAt = performance.now()
  const load = (sessions: number, letters: number, first: number) =>
    startLoad({
      endpoint: { address: '127.0.0.1', port: job.port },
      sessions,
      // Neighbours in time are none in the tables: a prime.
      recipient: (n) => `u${1 + ((n * 7_919) % job.accounts)}@${job.domain ?? 'bench.test'}`,
      octets: job.octets,
      ...(job.message === undefined ? {} : { message: job.message }),
      letters,
      first,
      onSent: (n) => void sentAt.set(n, performance.now()),
      onAccepted(n) {
        times.push(performance.now() - sentAt.get(n)!)
        sentAt.delete(n)
      },
    }).ended
  const begin = job.first ?? 1
  let next = begin
  const oneByOne = async (): Promise<void> => {
    while (next < begin + job.letters) await load(1, 1, next++)
  }
  if (job.fresh === true) await Promise.all(Array.from({ length: job.sessions }, oneByOne))
  else await load(job.sessions, job.letters, begin)
  return { seconds: (performance.now() - startedAt) / 1000, done: times.length, ...spread(times) }
}

function spread(times: number[]): Pick<LoadResult, 'p50' | 'p99' | 'worst'> {
  times.sort((a, b) => a - b)
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), worst: at(1) }
}

async function noop(job: NoopJob): Promise<LoadResult> {
  const times: number[] = []
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: job.sessions }, async () => {
      const client = await ImapClient.connect(job.port, job.user, 'pw')
      await client.command('SELECT INBOX')
      for (const end = performance.now() + job.seconds * 1_000; performance.now() < end; ) {
        const at = performance.now()
        await client.command('NOOP')
        times.push(performance.now() - at)
        await new Promise((resolve) => setTimeout(resolve, job.everyMs))
      }
      client.close()
    }),
  )
  return { seconds: (performance.now() - startedAt) / 1000, done: times.length, ...spread(times) }
}

/** Asks for number, UID and flags of all messages, and counts the lines. */
async function fetchFlags(job: FetchJob): Promise<LoadResult> {
  const client = await ImapClient.connect(job.port, job.user, 'pw')
  await client.command('SELECT INBOX')
  let lines = 0
  const startedAt = performance.now()
  for (let n = 0; n < job.times; n++) lines += (await client.command('FETCH 1:* (UID FLAGS)')).lines
  const seconds = (performance.now() - startedAt) / 1000
  client.close()
  return { seconds, done: lines - job.times }
}

const job = JSON.parse(process.argv[2] ?? '{}') as SmtpJob | FetchJob | NoopJob
const result = await (job.kind === 'smtp' ? smtp(job) : job.kind === 'noop' ? noop(job) : fetchFlags(job))
process.stdout.write(`${JSON.stringify(result)}\n`)
