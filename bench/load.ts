/** Runs one load in a process of its own, so that its CPU is not the server's. Arguments: JSON. Prints JSON. */
import { connect } from 'node:net'
import { startLoad } from '../test/harness/smtp-load.ts'

export interface SmtpJob {
  readonly kind: 'smtp'
  readonly port: number
  readonly sessions: number
  readonly letters: number
  readonly octets: number
  readonly accounts: number
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
}

async function smtp(job: SmtpJob): Promise<LoadResult> {
  let accepted = 0
  const startedAt = performance.now()
  await startLoad({
    endpoint: { address: '127.0.0.1', port: job.port },
    sessions: job.sessions,
    recipient: (n) => `u${1 + (n % job.accounts)}@bench.test`,
    octets: job.octets,
    letters: job.letters,
    onAccepted: () => void accepted++,
  }).ended
  return { seconds: (performance.now() - startedAt) / 1000, done: accepted }
}

/** Asks for number, UID and flags of all messages, and counts the lines. */
async function fetchFlags(job: FetchJob): Promise<LoadResult> {
  const socket = connect({ host: '127.0.0.1', port: job.port, noDelay: true })
  let lines = 0
  let last = ''
  let wake: () => void = () => {}
  socket.on('data', (chunk: Buffer) => {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++
    last = (last + chunk.subarray(-200).toString('latin1')).slice(-200)
    wake()
  })
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.once('close', () => reject(new Error(`the server closed: ${last}`)))
      wake = () => {
        if (pattern.test(last)) resolve()
      }
      wake()
    })
  await until(/\* OK.*\r\n$/)
  for (const [tag, command] of [
    ['a', `LOGIN ${job.user} pw`],
    ['b', 'SELECT INBOX'],
  ]) {
    socket.write(`${tag} ${command}\r\n`)
    await until(new RegExp(`(^|\\n)${tag} OK[^\\n]*\\r\\n$`))
  }
  lines = 0
  const startedAt = performance.now()
  for (let n = 0; n < job.times; n++) {
    socket.write(`f${n} FETCH 1:* (UID FLAGS)\r\n`)
    await until(new RegExp(`(^|\\n)f${n} OK[^\\n]*\\r\\n$`))
  }
  const seconds = (performance.now() - startedAt) / 1000
  socket.removeAllListeners('close')
  socket.destroy()
  return { seconds, done: lines - job.times }
}

const job = JSON.parse(process.argv[2] ?? '{}') as SmtpJob | FetchJob
const result = job.kind === 'smtp' ? await smtp(job) : await fetchFlags(job)
process.stdout.write(`${JSON.stringify(result)}\n`)
