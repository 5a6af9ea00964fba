/** Rspamd over HTTP: the whole message in one request at its end, what is known of its way in header fields of the request. */
import type { RspamdConfig } from '../../../base/filter-config.ts'
import type { Limits } from '../../../base/limits.ts'
import { refuse } from '../../wire/reply.ts'
import { ChangedMessage, fieldText } from '../changed-message.ts'
import { standsAt } from '../doors.ts'
import {
  type FilterClient,
  type FilteredMessage,
  type FilterEnding,
  type FilterSession,
  nothingToSay,
  type SmtpFilter,
} from '../filter.ts'
import { fieldsOf, splitMessage } from '../head-and-body.ts'
import type { HttpCaller } from '../http-call.ts'
import type { Keeper, KeeperPool, KeptMessage } from '../keeper.ts'
import type { FilterSurroundings } from '../reach.ts'
import { notChecked, tell } from '../verdict.ts'
import { type RspamdAnswer, readRspamdAnswer } from './answer.ts'

/** It lists what each symbol found; a few kilobytes as a rule. */
const answerOctets = 1_048_576

export interface RspamdParts {
  readonly around: FilterSurroundings
  readonly caller: HttpCaller
  readonly pool: KeeperPool
  readonly limits: Pick<Limits, 'headerOctets'>
}

export function createRspamdFilter(config: RspamdConfig, parts: RspamdParts): SmtpFilter {
  const keeper = parts.pool.keeper(config.maxOctets)
  return {
    name: config.name,
    open: (client) =>
      standsAt(config, client.role) ? new RspamdSession(client, config, parts, keeper) : null,
  }
}

class RspamdSession implements FilterSession {
  readonly #client: FilterClient
  readonly #config: RspamdConfig
  readonly #parts: RspamdParts
  readonly #keeper: Keeper
  #kept: KeptMessage | null = null
  /** Ends what is asked when the transaction, or the session, is over. */
  #over = new AbortController()

  constructor(client: FilterClient, config: RspamdConfig, parts: RspamdParts, keeper: Keeper) {
    this.#client = client
    this.#config = config
    this.#parts = parts
    this.#keeper = keeper
  }

  octets(chunk: Uint8Array): undefined {
    this.#kept ??= this.#keeper.keep()
    this.#kept.push(chunk)
  }

  async end(message: FilteredMessage): Promise<FilterEnding> {
    const { around } = this.#parts
    const kept = this.#kept ?? this.#keeper.keep()
    const told = { filter: this.#config.name, stage: 'message' }
    if (kept.lost !== null) {
      tell(this.#client, null, { ...told, answer: kept.lost, us: 0 })
      return nothingToSay
    }
    const startUs = around.clock.monotonicUs()
    let answer: RspamdAnswer | null = null
    let ending: FilterEnding
    try {
      const whole = message.changed ?? kept.whole()
      answer = await this.#ask(message, whole)
      ending = this.#ending(answer, whole)
    } catch (error) {
      around.log.warn('rspamd failed', { filter: this.#config.name, error })
      ending = this.#config.onFailure === 'tempfail' ? { refusal: notChecked() } : nothingToSay
    }
    const us = around.clock.monotonicUs() - startUs
    const facts =
      answer === null ? {} : { score: answer.score, required: answer.required, symbols: answer.symbols }
    tell(this.#client, ending.refusal ?? null, { ...told, answer: answer?.said ?? 'failed', us, more: facts })
    return ending
  }

  reset(): void {
    this.#over.abort()
    this.#over = new AbortController()
    this.#kept?.release()
    this.#kept = null
  }

  close(): void {
    this.reset()
  }

  async #ask(message: FilteredMessage, whole: Uint8Array): Promise<RspamdAnswer> {
    const { caller, around } = this.#parts
    const name = await around.clientName(this.#client.remoteAddress)
    const { body } = await caller.post({
      path: `${caller.url.pathname.replace(/\/$/, '')}/checkv2`,
      headers: requestHeaders(this.#client, message, name),
      body: [whole],
      answerOctets,
      signal: this.#over.signal,
    })
    return readRspamdAnswer(body, this.#config)
  }

  #ending(answer: RspamdAnswer, whole: Uint8Array): FilterEnding {
    const { action, text, score, required } = answer
    if (action === 'reject') return { refusal: refuse(554, '5.7.1', text ?? 'Message refused as spam') }
    if (action === 'later') return { refusal: refuse(451, '4.7.1', text ?? 'Try again later') }
    if (action === 'discard') return { discard: true }
    const junk = action !== 'pass'
    const changed = this.#changed(answer, whole)
    // The field that Rspamd's own milter adds, which people's rules look for.
    const fields = [...answer.fields, ...(junk ? ['X-Spam: Yes\r\n'] : [])]
    return {
      ...(junk ? { junk: `Rspamd: ${score} of ${required}` } : {}),
      ...(fields.length === 0 ? {} : { fields }),
      ...(changed === null ? {} : { message: changed }),
    }
  }

  /** The message without what is to be removed and with another subject; null when it stays as it is. */
  #changed({ action, subject, remove }: RspamdAnswer, whole: Uint8Array): Buffer | null {
    const parts = splitMessage(whole, this.#parts.limits.headerOctets)
    if (parts === null) return null
    const { header, separator, body } = parts
    const names = fieldsOf(header).map(({ name }) => name.toLowerCase())
    const there = remove.filter(([name]) => names.includes(name.toLowerCase()))
    const anew = action === 'subject' ? subject : null
    if (there.length === 0 && anew === null) return null
    const message = new ChangedMessage(header, separator, body)
    for (const [name, which] of there) {
      const count = names.filter((one) => one === name.toLowerCase()).length
      const index = which < 0 ? count + 1 + which : which
      if (which === 0) message.removeAll(name)
      else if (index >= 1 && index <= count) message.change(name, index, null)
    }
    if (anew !== null) message.change('Subject', 1, fieldText('Subject', anew))
    return message.octets()
  }
}

function requestHeaders(
  client: FilterClient,
  { reversePath, recipients, journeyId }: FilteredMessage,
  name: string | null,
): Record<string, string | string[]> {
  const [only, ...more] = recipients
  return {
    Ip: client.remoteAddress,
    Helo: headerValue(client.clientName),
    ...(name === null ? {} : { Hostname: headerValue(name) }),
    From: reversePath === '' ? '<>' : headerValue(reversePath),
    Rcpt: recipients.map(headerValue),
    'Queue-Id': journeyId,
    'MTA-Name': client.hostname,
    ...(only === undefined || more.length > 0 ? {} : { 'Deliver-To': headerValue(only) }),
    ...(client.account === null ? {} : { User: headerValue(client.account.address) }),
    ...(client.tls === null ? {} : { 'TLS-Cipher': client.tls.cipher, 'TLS-Version': client.tls.version }),
  }
}

/** UTF-8, and nothing that could end the field. */
function headerValue(text: string): string {
  const octets = /^[\x20-\x7e]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
  return octets.replace(/[^\x20-\x7e\x80-\xff]/g, '?')
}
