/**
 * Spike (b), docs/decisions/011: how long a body of 10 KB takes to be on the disk while people log in, when libuv's pool
 * syncs it and when a thread of our own does. `node bench/spikes/body-sync.ts`
 */
import { argon2, randomBytes } from 'node:crypto'
import { closeSync, fdatasync, fdatasyncSync, openSync, unlinkSync, write, writeSync } from 'node:fs'
import { Worker, isMainThread, parentPort } from 'node:worker_threads'

const file = '/work/spike-body-sync'
const body = Buffer.alloc(10_000, 'x')

if (!isMainThread) {
  const fd = openSync(`${file}-worker`, 'w')
  parentPort!.on('message', (chunk: Uint8Array) => {
    writeSync(fd, chunk)
    fdatasyncSync(fd)
    parentPort!.postMessage(0)
  })
} else {
  await main()
}

async function main(): Promise<void> {
  const worker = new Worker(new URL(import.meta.url))
  let answered: () => void = () => {}
  worker.on('message', () => answered())
  const byWorker = () =>
    new Promise<void>((resolve) => {
      answered = resolve
      worker.postMessage(new Uint8Array(body))
    })
  const fd = openSync(file, 'w')
  const byPool = () =>
    new Promise<void>((resolve, reject) => {
      write(fd, body, (error) => {
        if (error !== null) reject(error)
        else fdatasync(fd, (failed) => (failed === null ? resolve() : reject(failed)))
      })
    })
  for (const logins of [0, 2, 20]) {
    for (const [name, put] of [
      ['pool', byPool],
      ['own thread', byWorker],
    ] as const) {
      console.log(`${logins} log-ins at once, ${name}: ${await measure(logins, put)}`)
    }
  }
  closeSync(fd)
  await worker.terminate()
  unlinkSync(file)
  unlinkSync(`${file}-worker`)
}

async function measure(logins: number, put: () => Promise<void>): Promise<string> {
  let stop = false
  const hashing = Array.from({ length: logins }, async () => {
    while (!stop) await hash()
  })
  const times: number[] = []
  const end = performance.now() + 3_000
  while (performance.now() < end) {
    const start = performance.now()
    await put()
    times.push(performance.now() - start)
  }
  stop = true
  await Promise.all(hashing)
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.floor((times.length - 1) * part)]!.toFixed(1)
  return `${times.length} bodies in 3 s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms`
}

function hash(): Promise<void> {
  const parameters = {
    message: 'secret',
    nonce: randomBytes(16),
    parallelism: 1,
    tagLength: 32,
    memory: 19_456,
    passes: 2,
  }
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error) => (error === null ? resolve() : reject(error)))
  })
}
