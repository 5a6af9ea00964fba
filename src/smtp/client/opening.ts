/** From the greeting to the point where MAIL may be said: RFC 5321 §3.1 and §3.2, STARTTLS RFC 3207. */
import { isIP } from 'node:net'
import type { ClientTlsFacts } from '../../tls/client-tls.ts'
import type { Reply } from '../wire/reply.ts'
import type { SmtpClientOptions } from './client.ts'
import type { Connection } from './connection.ts'
import { SmtpFailure } from './failure.ts'
import { isPositive, lostFailure, refusedFailure } from './outcome.ts'
import type { OutcomeStage } from './message.ts'
import type { SmtpClientLimits } from './timeouts.ts'

export interface Opened {
  readonly extensions: ReadonlyMap<string, string>
  readonly tls: ClientTlsFacts | null
}

/** @throws {SmtpFailure} The connection may still be open: the caller closes it. */
export async function openConversation(
  connection: Connection,
  options: SmtpClientOptions,
  limits: SmtpClientLimits,
): Promise<Opened> {
  const greeting = await expect(connection, 'greeting', limits.greetingTimeoutMs, 'the connection')
  if (greeting.code !== 220) throw refusedFailure(greeting, 'greeting')
  if (options.dialect === 'lecture') {
    await helo(connection, options, limits)
    return { extensions: new Map(), tls: null }
  }
  const extensions = await hello(connection, options, limits)
  if (options.tls.mode === 'none') return { extensions, tls: null }
  if (!extensions.has('STARTTLS')) {
    if (options.tls.mode === 'required') throw tlsRequired('The server offers no TLS', '4.7.4', null)
    return { extensions, tls: null }
  }
  connection.sendStartTls()
  const ready = await expect(connection, 'starttls', limits.tlsTimeoutMs, 'STARTTLS')
  if (ready.code !== 220) {
    if (connection.lost !== null) throw refusedFailure(ready, 'starttls')
    if (options.tls.mode === 'required') throw tlsRequired('The server refused TLS', '4.7.4', ready)
    // RFC 3207 §4: after 454 it is the client's choice to go on without.
    return { extensions, tls: null }
  }
  const tls = await secure(connection, options, limits)
  // RFC 3207 §4.2: what was said in the clear is forgotten.
  return { extensions: await hello(connection, options, limits), tls }
}

/** EHLO, and HELO for a server that does not know it, RFC 5321 §4.1.1.1. */
async function hello(
  connection: Connection,
  options: SmtpClientOptions,
  limits: SmtpClientLimits,
): Promise<ReadonlyMap<string, string>> {
  connection.send(`EHLO ${options.ehloName}`)
  const reply = await expect(connection, 'hello', limits.helloTimeoutMs, 'EHLO')
  if (isPositive(reply)) return readExtensions(reply)
  if (reply.code < 500) throw refusedFailure(reply, 'hello')
  await helo(connection, options, limits)
  return new Map()
}

async function helo(
  connection: Connection,
  options: SmtpClientOptions,
  limits: SmtpClientLimits,
): Promise<void> {
  connection.send(`HELO ${options.ehloName}`)
  const reply = await expect(connection, 'hello', limits.helloTimeoutMs, 'HELO')
  if (!isPositive(reply)) throw refusedFailure(reply, 'hello')
}

/**
 * ehlo-line = ehlo-keyword *( SP ehlo-param ), ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 *
 * Lines that are none are passed over; the first one is the server's name. `=` after the keyword is an old habit.
 */
export function readExtensions(reply: Reply): ReadonlyMap<string, string> {
  const extensions = new Map<string, string>()
  for (const line of reply.lines.slice(1)) {
    const [, keyword, parameters = ''] = /^([a-z0-9][a-z0-9-]*)(?:[ =](.*))?$/i.exec(line.trim()) ?? []
    if (keyword !== undefined) extensions.set(keyword.toUpperCase(), parameters.trim())
  }
  return extensions
}

async function secure(
  connection: Connection,
  options: SmtpClientOptions,
  limits: SmtpClientLimits,
): Promise<ClientTlsFacts> {
  const { target, recorder, tls } = options
  const serverName = certificateName(target.hostname, target.address)
  const opportunistic = tls.mode === 'opportunistic'
  let facts: ClientTlsFacts
  try {
    facts = await connection.startTls({
      serverName,
      ca: tls.ca,
      opportunistic,
      timeoutMs: limits.tlsTimeoutMs,
    })
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const reason = text.replace(/[^\x20-\x7e]/g, ' ').slice(0, 200)
    recorder.event('secured', 'tls.done', { ok: false, serverName, reason })
    throw new SmtpFailure(
      `TLS handshake failed: ${reason}`,
      { stage: 'starttls', kind: 'temporary', reason: 'tls-failed', reply: null, status: '4.7.5' },
      { cause: error },
    )
  }
  recorder.event('secured', 'tls.done', { ok: true, ...facts })
  if (tls.mode === 'required' && !facts.trusted) {
    throw tlsRequired(`The server's certificate is not good: ${facts.reason}`, '4.7.5', null)
  }
  return facts
}

/** An address literal is compared as the address that it is. */
function certificateName(hostname: string, address: string): string {
  return hostname.startsWith('[') || isIP(hostname) !== 0 ? address : hostname
}

/** Temporary: certificates get renewed, and what policy asks for may come back. */
function tlsRequired(text: string, status: string, reply: Reply | null): SmtpFailure {
  return new SmtpFailure(text, {
    stage: 'starttls',
    kind: 'temporary',
    reason: 'tls-required',
    reply,
    status,
  })
}

async function expect(
  connection: Connection,
  stage: OutcomeStage,
  timeoutMs: number,
  what: string,
): Promise<Reply> {
  try {
    return await connection.reply(timeoutMs, what)
  } catch (error) {
    throw lostFailure(error, stage)
  }
}
