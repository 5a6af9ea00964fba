/** A hook: somebody's program that is asked over HTTP at the stages it was configured for. docs/hooks.md. */
import type { HookConfig, HookStage } from '../../../base/filter-config.ts'
import type { Limits } from '../../../base/limits.ts'
import type { Random } from '../../../base/random.ts'
import { decodeUtf8OrLatin1 } from '../../../message/charset.ts'
import { standsAt } from '../doors.ts'
import type {
  FilterAnswer,
  FilterClient,
  FilteredMessage,
  FilterEnding,
  FilterSession,
  SmtpFilter,
} from '../filter.ts'
import { nothingToSay } from '../filter.ts'
import { fieldsOf, HeadAndBody } from '../head-and-body.ts'
import type { HttpCaller } from '../http-call.ts'
import type { Keeper, KeeperPool, KeptMessage } from '../keeper.ts'
import type { FilterSurroundings } from '../reach.ts'
import { notChecked, tell } from '../verdict.ts'
import { type HookAnswer, readHookAnswer } from './answer.ts'
import { formBody, type HookBody, jsonBody, sign } from './body.ts'

export interface HookParts {
  readonly around: FilterSurroundings
  readonly random: Random
  readonly caller: HttpCaller
  readonly pool: KeeperPool
  readonly limits: Pick<Limits, 'headerOctets'>
}

export function createHookFilter(config: HookConfig, parts: HookParts): SmtpFilter {
  const keeper = parts.pool.keeper(config.maxOctets)
  return {
    name: config.name,
    open: (client) => (standsAt(config, client.role) ? new HookSession(client, config, parts, keeper) : null),
  }
}

interface Path {
  readonly path: string
  readonly parameters: readonly string[]
}

class HookSession implements FilterSession {
  readonly #client: FilterClient
  readonly #config: HookConfig
  readonly #parts: HookParts
  readonly #keeper: Keeper
  #sender: Path | null = null
  #recipients: Path[] = []
  #head: HeadAndBody | null = null
  #kept: KeptMessage | null = null
  /** Ends what is asked when the transaction, or the session, is over. */
  #over = new AbortController()

  constructor(client: FilterClient, config: HookConfig, parts: HookParts, keeper: Keeper) {
    this.#client = client
    this.#config = config
    this.#parts = parts
    this.#keeper = keeper
  }

  connect(): Promise<FilterAnswer> | FilterAnswer {
    return this.#stage('connect')
  }

  hello(): Promise<FilterAnswer> | FilterAnswer {
    return this.#stage('ehlo')
  }

  mail(path: string, parameters: readonly string[]): Promise<FilterAnswer> | FilterAnswer {
    this.#forget()
    this.#sender = { path, parameters }
    return this.#stage('mail')
  }

  rcpt(path: string, parameters: readonly string[], known: boolean): Promise<FilterAnswer> | FilterAnswer {
    const recipient = { path, parameters }
    if (known) this.#recipients.push(recipient)
    const answer = this.#stage('rcpt', { recipient: { ...recipient, known } })
    if (answer instanceof Promise)
      void answer.then((refusal) => {
        if (refusal !== null) this.#recipients = this.#recipients.filter((one) => one !== recipient)
      })
    return answer
  }

  data(): Promise<FilterAnswer> | FilterAnswer {
    return this.#stage('data')
  }

  octets(chunk: Uint8Array): undefined {
    if (!this.#config.stages.includes('message')) return undefined
    this.#head ??= new HeadAndBody(this.#parts.limits.headerOctets)
    if (this.#head.header === null) this.#head.push(chunk)
    if (this.#config.message === 'none') return undefined
    this.#kept ??= this.#keeper.keep()
    this.#kept.push(chunk)
    return undefined
  }

  async end(message: FilteredMessage): Promise<FilterEnding> {
    if (!this.#config.stages.includes('message')) return nothingToSay
    this.#head?.finish()
    const headers = fieldsOf(this.#head?.header ?? '').map(({ name, value }) => [
      ...[name, decodeUtf8OrLatin1(value).replace(/^[ \t]/, '')],
    ])
    const { journeyId, octets, recipients } = message
    this.#recipients = recipients.map(
      (path) => this.#recipients.find((one) => one.path === path) ?? { path, parameters: [] },
    )
    const omitted = this.#kept?.lost ?? null
    const facts = { id: journeyId, message: { octets, headers, ...(omitted === null ? {} : { omitted }) } }
    const answer = await this.#ask('message', facts, message.changed ?? null)
    return answer.ending
  }

  reset(): void {
    this.#forget()
  }

  close(): void {
    this.#forget()
  }

  #stage(stage: HookStage, facts: object = {}): Promise<FilterAnswer> | FilterAnswer {
    if (!this.#config.stages.includes(stage)) return null
    return this.#ask(stage, facts).then(({ ending }) => ending.refusal ?? null)
  }

  /** Never fails: trouble is answered as it was configured. */
  async #ask(stage: HookStage, facts: object, changed: Uint8Array | null = null): Promise<HookAnswer> {
    const { around } = this.#parts
    const startUs = around.clock.monotonicUs()
    let answer: HookAnswer | null = null
    try {
      answer = await this.#request(stage, facts, changed)
    } catch (error) {
      around.log.warn('hook failed', { filter: this.#config.name, stage, error })
    }
    const us = around.clock.monotonicUs() - startUs
    const failed = this.#config.onFailure === 'tempfail' ? { refusal: notChecked() } : nothingToSay
    const ending = answer?.ending ?? failed
    const told = { filter: this.#config.name, stage, answer: answer?.action ?? 'failed', us }
    if (stage === 'message' || ending.refusal !== undefined) tell(this.#client, ending.refusal ?? null, told)
    return { action: answer?.action ?? 'accept', ending }
  }

  async #request(stage: HookStage, facts: object, changed: Uint8Array | null): Promise<HookAnswer> {
    const { secret, answerOctets } = this.#config
    const { caller, around } = this.#parts
    const { signal } = this.#over
    const { contentType, pieces } = await this.#body({ ...this.#facts(stage), ...facts }, changed)
    const signature =
      secret === null ? {} : { 'Posthorn-Signature': await sign(secret, around.clock.now(), pieces) }
    const headers = { 'Content-Type': contentType, Accept: 'application/json', ...signature }
    const path = caller.url.pathname + caller.url.search
    const { body } = await caller.post({ path, headers, body: pieces, answerOctets, signal })
    return readHookAnswer(body, stage)
  }

  #body(event: object, changed: Uint8Array | null): Promise<HookBody> | HookBody {
    const received = this.#kept === null || this.#kept.lost !== null ? null : this.#kept.pieces
    const kept = changed === null || received === null ? received : [Buffer.from(changed)]
    if (kept === null || this.#config.message === 'base64') return jsonBody(event, kept)
    // 128 random bits do not occur in the message.
    return formBody(event, kept, Buffer.from(this.#parts.random.bytes(16)).toString('hex'))
  }

  #facts(stage: HookStage): object {
    const client = this.#client
    return {
      version: 1,
      hook: this.#config.name,
      stage,
      server: {
        hostname: client.hostname,
        role: client.role,
        address: client.localAddress,
        port: client.localPort,
      },
      client: {
        address: client.remoteAddress,
        port: client.remotePort,
        helo: client.clientName,
        extended: client.extended,
        trusted: client.trusted,
      },
      tls: client.tls === null ? null : { version: client.tls.version, cipher: client.tls.cipher },
      account: client.account?.address ?? null,
      envelope:
        this.#sender === null
          ? null
          : {
              reversePath: this.#sender.path,
              parameters: this.#sender.parameters,
              recipients: this.#recipients,
            },
    }
  }

  #forget(): void {
    this.#over.abort()
    this.#over = new AbortController()
    this.#kept?.release()
    this.#kept = null
    this.#head = null
    this.#sender = null
    this.#recipients = []
  }
}
