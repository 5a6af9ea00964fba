/** What suites with other people's mail servers share: waiting for them, a server of ours, and what was said to it. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { JourneyEntry } from '../../src/journey/event.ts'
import { packSpoken, unpackSpoken } from '../../src/journey/spoken.ts'
import type { ReadyLine, ServerLine } from '../../src/daemon/ready-line.ts'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import { makeSelfSigned } from '../../src/tls/certificate.ts'
import { createServerTls, type ReloadableServerTls } from '../../src/tls/server-tls.ts'
import { endpointOf } from './lab.ts'
import { startPosthorn } from './process.ts'
import { temporaryFolder } from './temp.ts'

/** Asks again and again; other people's programs tell nobody when they are done. */
export async function until<T>(
  what: string,
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  more: () => string = () => '',
): Promise<T> {
  const deadline = performance.now() + 20_000
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > deadline) assert.fail(`waited for ${what}\n${more()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export function selfSignedTls(hostname: string): ReloadableServerTls {
  return createServerTls(
    makeSelfSigned({ hostnames: [hostname] }, { nowMs: systemClock.now(), random: systemRandom }),
  )
}

/** The client's lines in the journeys of a door, oldest first. */
export function saidBy(side: 'C' | 'S', journeys: readonly JourneyEntry[]): string[] {
  return journeys
    .flatMap(({ events }) => events)
    .filter(({ kind }) => kind === 'wire')
    .flatMap(({ spoken }) => unpackSpoken(packSpoken(spoken ?? [])))
    .filter((line) => line.side === side)
    .map(({ text }) => text)
}

export interface OwnServer {
  readonly doors: ServerLine
  readonly config: string
  /** Hands in a letter as alice@DOMAIN, octets as they are. */
  submit(letter: {
    readonly to: string
    readonly text: string
    readonly dsn?: { readonly id: string; readonly notify: readonly string[] }
  }): Promise<void>
  /** Runs a command on it. @returns What it printed. */
  run(...args: string[]): Promise<string>
  /** The first letter in alice's INBOX with this text. */
  letterWith(text: string): Promise<string | null>
}

/** A whole server for one domain, where alice has an account; what it sends goes to the given routes. */
export async function startOwnServer(
  t: TestContext,
  domain: string,
  given: {
    readonly smtpPort: number
    readonly routes: Readonly<Record<string, number>>
    readonly more?: string
  },
): Promise<OwnServer> {
  const folder = temporaryFolder(t)
  const config = join(folder, 'posthorn.toml')
  const routes = Object.entries(given.routes).map(([to, port]) => `"${to}" = "127.0.0.1:${port}"\n`)
  writeFileSync(
    config,
    `hostname = "mail.${domain}"\ndata = "data"\n` +
      `[listen]\nsmtp = ["127.0.0.1:${given.smtpPort}"]\nsubmission = ["127.0.0.1:0"]\nimap = ["127.0.0.1:0"]\n` +
      `[auth]\nplaintext = "loopback"\n[guards]\ntrusted = ["127.0.0.1"]\n[routes]\n${routes.join('')}${given.more ?? ''}`,
  )
  const run = async (args: readonly string[], input = ''): Promise<string> => {
    const running = startPosthorn(t, ['--config', config, ...args], { input })
    const { code } = await running.ended
    assert.equal(code, 0, running.stderr)
    return running.stdout
  }
  await run(['domain', 'add', domain])
  await run(['account', 'add', `alice@${domain}`], 'strawberry\n')
  const server = startPosthorn(t, ['serve', '--config', config, '--json'])
  const ready = await server.json<ReadyLine & Record<string, unknown>>('ready')
  const doors = ready.servers[0]!
  const auth = { user: `alice@${domain}`, pass: 'strawberry' }
  return {
    doors,
    config,
    run: (...args) => run(args),
    async submit({ to, text, dsn }) {
      const { createTransport } = await import('nodemailer')
      const { address: host, port } = endpointOf(doors.submission)
      const agent = createTransport({ host, port, ignoreTLS: true, auth })
      try {
        await agent.sendMail({
          envelope: { from: auth.user, to: [to] },
          raw: text.replaceAll('\n', '\r\n'),
          ...(dsn === undefined
            ? {}
            : { dsn: { id: dsn.id, return: 'headers', notify: [...dsn.notify], recipient: auth.user } }),
        })
      } finally {
        agent.close()
      }
    },
    async letterWith(wanted) {
      const { ImapFlow } = await import('imapflow')
      const { address: host, port } = endpointOf(doors.imap)
      const client = new ImapFlow({ host, port, secure: false, doSTARTTLS: false, auth, logger: false })
      await client.connect()
      try {
        await client.mailboxOpen('INBOX')
        for (const number of (await client.search({ all: true })) || []) {
          const found = await client.fetchOne(String(number), { source: true })
          const source = found === false ? '' : found.source!.toString()
          if (source.includes(wanted)) return source
        }
        return null
      } finally {
        await client.logout()
      }
    },
  }
}

/** Gives a letter to somebody's server, without TLS and as it is. */
export async function inject(
  port: number,
  letter: {
    readonly from: string
    readonly to: readonly string[]
    readonly text: string
    readonly dsn?: { readonly id: string; readonly notify: readonly string[] }
    readonly eightBit?: boolean
  },
): Promise<void> {
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
  try {
    await transport.sendMail({
      envelope: { from: letter.from, to: [...letter.to], use8BitMime: letter.eightBit === true },
      raw: Buffer.from(letter.text.replaceAll('\n', '\r\n')),
      ...(letter.dsn === undefined
        ? {}
        : {
            dsn: {
              id: letter.dsn.id,
              return: 'headers',
              notify: [...letter.dsn.notify],
              recipient: letter.from,
            },
          }),
    })
  } finally {
    transport.close()
  }
}
