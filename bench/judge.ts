/**
 * What it costs to know who a letter is from: the same letter, signed with RSA, from a client that is trusted (nothing is
 * asked) and from one that is judged by iprev, SPF, DKIM and DMARC. Two servers in one run, in turns.
 */
import { generateKeyPairSync } from 'node:crypto'
import { type Authority, startAuthority } from '../src/dns/authority.ts'
import { DkimSigner } from '../src/mailauth/dkim/signer.ts'
import { cpuSeconds } from './cpu.ts'
import type { LoadResult, SmtpJob } from './load.ts'
import { type BenchServer, firstLine, portOf, spawnScript, startServer } from './server.ts'

const accounts = 10
const letters = 4_000
const rounds = 3
const sessions = 20
const goalPerSecond = 1_500

async function signedLetter(): Promise<{ message: string; record: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const line = `${'All work and no play makes a dull letter. '.repeat(2).slice(0, 74)}\r\n`
  const text =
    'From: Alice <alice@crepes.example>\r\nTo: <bob@hamburger.example>\r\nSubject: Pancakes\r\n' +
    'Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@crepes.example>\r\n\r\n' +
    line.repeat(130)
  const signer = new DkimSigner({ headerOctets: 100_000 })
  signer.push(Buffer.from(text))
  const fields = await signer.finish(
    [{ domain: 'crepes.example', selector: 's', algorithm: 'rsa-sha256', privateKey }],
    [],
    Date.now(),
  )
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  return { message: fields.join('') + text, record: `v=DKIM1; k=rsa; p=${key}` }
}

function names(record: string): Promise<Authority> {
  const crepes = {
    origin: 'crepes.example',
    records: {
      'crepes.example': {
        TXT: ['v=spf1 ip4:127.0.0.1 -all'],
        MX: [{ preference: 10, exchange: 'mail.crepes.example' }],
      },
      'mail.crepes.example': { A: ['127.0.0.1'] },
      's._domainkey.crepes.example': { TXT: [record] },
      '_dmarc.crepes.example': { TXT: ['v=DMARC1; p=reject'] },
    },
  }
  const reverse = {
    origin: '127.in-addr.arpa',
    records: { '1.0.0.127.in-addr.arpa': { PTR: ['mail.crepes.example'] } },
  }
  return startAuthority({ zones: [crepes, reverse], address: '127.0.0.1', port: 0 })
}

const { message, record } = await signedLetter()
const authority = await names(record)
const more =
  `[dns]\nservers = ["127.0.0.1:${authority.endpoint.port}"]\n` +
  '[limits]\nmessages_per_hour = 10000000\nrecipients_per_hour = 10000000\n'
const servers: { name: string; server: BenchServer; rates: number[]; cpu: number[] }[] = []
try {
  for (const [name, trusted] of [
    ['trusted', ['127.0.0.1']],
    ['judged', []],
  ] as const)
    servers.push({ name, server: await startServer(accounts, more, null, trusted), rates: [], cpu: [] })
  for (let round = 0; round <= rounds; round++) {
    for (const { name, server, rates, cpu } of servers) {
      const port = portOf(server.line.servers[0]?.smtp)
      const job: SmtpJob = { kind: 'smtp', port, sessions, letters, octets: 10_000, accounts, message }
      const before = cpuSeconds(server.pid)
      const result = await firstLine<LoadResult>(spawnScript('./load.ts', [JSON.stringify(job)]))
      if (result.done < letters) throw new Error(`${name}: ${result.done} of ${letters} letters were taken`)
      // The first round warms up.
      if (round === 0) continue
      rates.push(result.done / result.seconds)
      cpu.push(((cpuSeconds(server.pid) - before) / result.done) * 1e6)
    }
  }
} finally {
  for (const { server } of servers) await server.stop()
  await authority.close()
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
for (const { name, rates, cpu } of servers) {
  const rate = median(rates)
  const goal = name === 'judged' ? `goal ${goalPerSecond}/s: ${rate >= goalPerSecond ? 'met' : 'MISSED'}` : ''
  console.log(
    `${name.padEnd(10)} ${rate.toFixed(0).padStart(6)} letters/s  ${median(cpu).toFixed(0).padStart(5)} µs of CPU each  ${goal}`,
  )
}
