/**
 * Spike (c), docs/decisions/012: what it costs FETCH that a stored message is a prefix in a row and a body in a file,
 * against one piece that holds both. `node bench/spikes/prefix.ts`
 */
import { rmSync } from 'node:fs'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { MessageScanner } from '../../src/message/scan.ts'
import { openStore } from '../../src/store/open.ts'
import type { Email, Store } from '../../src/store/store.ts'

const folder = '/work/spike-prefix'
rmSync(folder, { recursive: true, force: true })
const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
const store = await openStore({ folder, limits: defaultLimits, surroundings })
await store.addDomain('d.example')
const { accountId } = await store.addAccount('bob@d.example', null)
const prefix = `Return-Path: <a@b.example>\r\nReceived: ${'x'.repeat(500)}\r\n`

async function put(above: string, text: Buffer): Promise<Email> {
  const sink = store.openBody()
  await sink.write(text)
  const scanner = new MessageScanner()
  scanner.push(text)
  const base = { accountId, mailboxId: null, prefix: above, flags: 0, keywords: [] }
  const filings = [{ ...base, internalDate: 0, journeyId: null }]
  const [accepted] = await store.accept([
    { body: await sink.finish(), scan: scanner.finish(), filings, queue: [] },
  ])
  if (accepted instanceof Error) throw accepted
  return (await store.getEmails(accountId, [accepted!.filed[0]!.emailId]))[0]!
}

/** Octets of the whole message, as FETCH BODY[]<offset.octets> asks for them. */
async function readMessage(from: Store, email: Email, offset: number, octets: number): Promise<Uint8Array> {
  const above = Buffer.from(email.prefix.slice(offset, offset + octets), 'latin1')
  const left = octets - above.length
  if (left <= 0) return above
  const below = await from.readBody(email.body, Math.max(0, offset - email.prefix.length), left)
  return above.length === 0 ? below : Buffer.concat([above, below])
}

for (const length of [2_000, 10_000, 200_000, 1_000_000]) {
  const text = Buffer.alloc(length, 'Subject: a letter of some length\r\n\r\nand lines\r\n')
  const whole = Buffer.concat([Buffer.from(prefix), text])
  const split = await put(prefix, text)
  const one = await put('', whole)
  for (let i = 0; i < 2_000; i++) {
    const offset = i % 3 === 0 ? i % prefix.length : Math.floor(Math.random() * (whole.length + 10))
    const octets = 1 + Math.floor(Math.random() * (i % 2 === 0 ? 1_000 : whole.length))
    const wanted = whole.subarray(offset, offset + octets)
    if (!wanted.equals(await readMessage(store, split, offset, octets)))
      throw new Error(`split ${offset} ${octets}`)
    if (!wanted.equals(await readMessage(store, one, offset, octets)))
      throw new Error(`one ${offset} ${octets}`)
  }
  const rounds = length > 100_000 ? 500 : 3_000
  for (const [name, email] of [
    ['split', split],
    ['one piece', one],
    ['split', split],
    ['one piece', one],
  ] as const) {
    const cpu = process.cpuUsage()
    for (let i = 0; i < rounds; i++) await readMessage(store, email, 0, whole.length)
    const used = process.cpuUsage(cpu)
    console.log(`${length} octets, ${name}: ${((used.user + used.system) / rounds).toFixed(1)} us CPU`)
  }
}
await store.close()
rmSync(folder, { recursive: true, force: true })
