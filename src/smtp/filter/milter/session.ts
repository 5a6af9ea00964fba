/**
 * One SMTP session as a milter follows it. The message is told while it arrives, so that nothing of it is kept unless the
 * milter may change it; what the milter decides early is said to the client at the end.
 *
 * Whatever goes wrong ends the milter's part in this session: from then on every message is answered as `on_failure` says.
 */
import { isIPv4, isIPv6 } from 'node:net'
import type { FilterAnswer, FilterClient, FilteredMessage, FilterEnding, FilterSession } from '../filter.ts'
import { nothingToSay } from '../filter.ts'
import { fieldsOf, HeadAndBody } from '../head-and-body.ts'
import type { KeptMessage, Keeper } from '../keeper.ts'
import type { FilterSurroundings } from '../reach.ts'
import { deferred, notChecked, rejected, tell } from '../verdict.ts'
import { type Modification, readAnswer, type Verdict } from './answer.ts'
import { MilterConnection } from './connection.ts'
import { isPermitted, makeEnding } from './ending.ts'
import { connectionMacros, type Macros, macroData, recipientMacros, senderMacros } from './macros.ts'
import { MilterFault, texts, writePacket } from './packet.ts'
import { action, bodyPieceOctets, command, type CommandLetter, type MacroStage, step } from './protocol.ts'
import type { MilterSettings } from './settings.ts'

const goOn: Verdict = { kind: 'continue' }

export class MilterSession implements FilterSession {
  readonly #client: FilterClient
  readonly #settings: MilterSettings
  readonly #around: FilterSurroundings
  readonly #keeper: Keeper
  #connection: MilterConnection | null = null
  /** `off`: it accepted the connection, and wants to hear no more. */
  #state: 'new' | 'open' | 'off' | 'broken' | 'closed' = 'new'
  #waiting = false
  #clientName: string | null = null
  /** Since MAIL was told. */
  #transaction: Transaction | null = null

  constructor(client: FilterClient, settings: MilterSettings, around: FilterSurroundings, keeper: Keeper) {
    this.#client = client
    this.#settings = settings
    this.#around = around
    this.#keeper = keeper
  }

  connect(): Promise<FilterAnswer> {
    return this.#stage('connect', () => Promise.resolve(goOn))
  }

  hello(): Promise<FilterAnswer> {
    const { clientName } = this.#client
    return this.#stage('helo', () =>
      this.#ask('helo', command.helo, texts(clientName), {}, step.noHelo, step.quietHelo),
    )
  }

  mail(path: string, parameters: readonly string[]): Promise<FilterAnswer> {
    return this.#stage('mail', async () => {
      this.#abort()
      this.#transaction = new Transaction(this.#settings, this.#mayChange() ? this.#keeper.keep() : null)
      const data = texts(`<${path}>`, ...parameters)
      return this.#ask('mail', command.mail, data, senderMacros(path), step.noMail, step.quietMail)
    })
  }

  rcpt(path: string, parameters: readonly string[], known: boolean): Promise<FilterAnswer> {
    return this.#stage('rcpt', async () => {
      if (!known && !this.#has(step.refusedRecipients)) return goOn
      const data = texts(`<${path}>`, ...parameters)
      const macros = recipientMacros(path, known)
      return this.#ask('rcpt', command.rcpt, data, macros, step.noRcpt, step.quietRcpt)
    })
  }

  data(): Promise<FilterAnswer> {
    return this.#stage('data', async () =>
      // Version 2 has no such command.
      this.#agreement.version < 4
        ? goOn
        : this.#ask('data', command.data, '', {}, step.noData, step.quietData),
    )
  }

  octets(chunk: Uint8Array): Promise<void> | undefined {
    const transaction = this.#transaction
    if (transaction === null || this.#state !== 'open' || transaction.verdict !== null) return undefined
    transaction.kept?.push(chunk)
    return this.#quietly(() => this.#pass(transaction, transaction.head.push(chunk)))
  }

  async end(message: FilteredMessage): Promise<FilterEnding> {
    const transaction = this.#transaction
    if (this.#state === 'broken') return this.#failed()
    if (this.#state !== 'open' || transaction === null) return nothingToSay
    let ending: FilterEnding = nothingToSay
    let answer = 'continue'
    let changes: string[] = []
    const startUs = this.#around.clock.monotonicUs()
    await this.#quietly(async () => {
      if (transaction.verdict === null) await this.#pass(transaction, transaction.head.finish(), true)
      const modifications: Modification[] = []
      const verdict = transaction.verdict ?? (await this.#endOfBody(transaction, message, modifications))
      answer = verdict.kind
      changes = modifications.map(({ kind }) => kind)
      const refusal = this.#refusalOf(verdict, 'message')
      if (refusal !== null) ending = { refusal }
      else if (verdict.kind === 'discard') ending = { discard: true }
      else {
        const verbatim = this.#has(step.leadingSpace)
        const { headerOctets } = this.#settings
        ending = makeEnding(modifications, this.#whole(transaction, message), { headerOctets, verbatim })
      }
    })
    const us = transaction.us + this.#around.clock.monotonicUs() - startUs
    if (this.#isBroken()) return this.#failed()
    const more = changes.length === 0 ? {} : { changes }
    tell(this.#client, ending.refusal ?? null, {
      filter: this.#settings.name,
      stage: 'message',
      answer,
      us,
      more,
    })
    return ending
  }

  #whole({ kept }: Transaction, { changed }: FilteredMessage): Uint8Array | null {
    return changed ?? (kept === null || kept.lost !== null ? null : kept.whole())
  }

  reset(): void {
    // The door waits no longer for what it has asked: the answer would be taken for one to the next question.
    if (this.#waiting) this.#break(new MilterFault('was not waited for'))
    this.#abort()
  }

  close(): void {
    this.#transaction?.kept?.release()
    this.#transaction = null
    this.#state = 'closed'
    if (this.#waiting) this.#connection?.destroy()
    else this.#connection?.quit()
    this.#connection = null
  }

  get #agreement() {
    return this.#connection!.agreement
  }

  #has(bit: number): boolean {
    return (this.#agreement.steps & bit) !== 0
  }

  #mayChange(): boolean {
    return (this.#agreement.actions & (action.changeHeaders | action.changeBody)) !== 0
  }

  #isBroken(): boolean {
    return this.#state === 'broken'
  }

  /** One command of the client, its answer and the journey's event for a refusal. */
  async #stage(
    stage: 'connect' | 'helo' | 'mail' | 'rcpt' | 'data',
    ask: () => Promise<Verdict>,
  ): Promise<FilterAnswer> {
    if (this.#state === 'off' || this.#state === 'closed' || this.#over(stage)) return null
    const startUs = this.#around.clock.monotonicUs()
    let verdict = goOn
    await this.#quietly(async () => {
      verdict = await this.#opened()
      if (verdict.kind === 'continue' && this.#state === 'open') verdict = await ask()
    })
    // A refusal of the connection would be forgotten by a client that comes again at once; one of the message is not.
    if (this.#isBroken())
      return stage === 'connect' || stage === 'helo' ? null : (this.#failed(stage).refusal ?? null)
    const us = this.#around.clock.monotonicUs() - startUs
    if (this.#transaction !== null) this.#transaction.us += us
    const refusal = this.#refusalOf(verdict, stage === 'connect' ? 'connect' : 'command')
    if (refusal !== null)
      tell(this.#client, refusal, { filter: this.#settings.name, stage, answer: verdict.kind, us })
    this.#note(stage, verdict)
    return refusal
  }

  #over(stage: string): boolean {
    return (stage === 'rcpt' || stage === 'data') && this.#transaction?.verdict != null
  }

  /** What an accept or a discard means for what comes after it. */
  #note(stage: string, verdict: Verdict): void {
    const ofConnection = stage === 'connect' || stage === 'helo'
    if (verdict.kind === 'accept' && ofConnection) this.#state = 'off'
    else if ((verdict.kind === 'accept' || verdict.kind === 'discard') && this.#transaction !== null)
      this.#transaction.verdict = verdict
  }

  #refusalOf(verdict: Verdict, stage: 'connect' | 'command' | 'message') {
    if (verdict.kind === 'reply') return verdict.refusal
    if (verdict.kind === 'reject') return rejected(stage)
    return verdict.kind === 'tempfail' ? deferred(stage) : null
  }

  /** Connects and tells of the client, once. */
  async #opened(): Promise<Verdict> {
    if (this.#state !== 'new') return goOn
    const { remoteAddress, remotePort } = this.#client
    const connection = await MilterConnection.open(this.#settings.place, this.#settings, this.#around)
    // Meanwhile the door may have given up, or the client gone.
    if (!this.#isNew()) {
      connection.destroy()
      return goOn
    }
    this.#connection = connection
    this.#state = 'open'
    this.#clientName = await this.#around.clientName(remoteAddress)
    const port = Buffer.alloc(2)
    port.writeUInt16BE(remotePort)
    const family = isIPv4(remoteAddress) ? '4' : isIPv6(remoteAddress) ? '6' : 'U'
    const address = family === 'U' ? '' : port.toString('latin1') + texts(remoteAddress)
    const data = texts(this.#clientName ?? `[${remoteAddress}]`) + family + address
    const { noConnect, quietConnect } = step
    const verdict = await this.#ask('connect', command.connect, data, {}, noConnect, quietConnect)
    if (verdict.kind === 'accept') this.#state = 'off'
    return verdict
  }

  #isNew(): boolean {
    return this.#state === 'new'
  }

  /** Tells one step, unless the milter leaves it out, and waits for the answer, unless there is none. */
  async #ask(
    stage: MacroStage | null,
    letter: CommandLetter,
    data: string | Uint8Array,
    macros: Macros,
    leftOut: number,
    quiet: number,
    timeoutMs = this.#settings.commandTimeoutMs,
  ): Promise<Verdict> {
    if (this.#has(leftOut)) return goOn
    const connection = this.#connection!
    this.#tellMacros(stage, letter, macros)
    await connection.send(writePacket(letter, data))
    if (this.#has(quiet)) return goOn
    for (;;) {
      const answer = readAnswer(await connection.next(timeoutMs))
      if (answer.kind === 'progress') continue
      if (isVerdict(answer)) return answer
      throw new MilterFault(`wants a change (${answer.kind}) before the end of the message`)
    }
  }

  #tellMacros(stage: MacroStage | null, letter: CommandLetter, macros: Macros): void {
    if (stage === null) return
    const known = { ...connectionMacros(this.#client, this.#clientName), ...macros }
    const data = macroData(this.#agreement, stage, letter, known)
    if (data !== null) void this.#connection!.send(writePacket(command.macro, data))?.catch(() => {})
  }

  /** Header fields when they are whole, then the body in pieces of a size that every milter takes. */
  async #pass(transaction: Transaction, body: Uint8Array, last = false): Promise<void> {
    const { head } = transaction
    if (head.header === null) return
    if (!transaction.headerTold) {
      transaction.headerTold = true
      await this.#passHeader(transaction, head.header)
    }
    if (this.#has(step.noBody) || transaction.skipping) return
    for (const piece of transaction.pieces(body, last)) {
      if (transaction.verdict !== null || transaction.skipping) return
      const timeoutMs = this.#settings.contentTimeoutMs
      const verdict = await this.#ask(null, command.body, piece, {}, 0, step.quietBody, timeoutMs)
      if (verdict.kind === 'skip') transaction.skipping = true
      else if (verdict.kind !== 'continue') transaction.verdict = verdict
    }
  }

  async #passHeader(transaction: Transaction, header: string): Promise<void> {
    const verbatim = this.#has(step.leadingSpace)
    const { noHeaders, quietHeader, noEndOfHeader, quietEndOfHeader } = step
    const timeoutMs = this.#settings.contentTimeoutMs
    const fields = this.#has(noHeaders) ? [] : fieldsOf(header)
    for (const { name, value } of fields) {
      // Folds as Sendmail tells them: LF alone.
      const text = (verbatim ? value : value.replace(/^[ \t]/, '')).replaceAll('\r\n', '\n')
      const verdict = await this.#ask(null, command.header, texts(name, text), {}, 0, quietHeader, timeoutMs)
      if (verdict.kind === 'continue') continue
      transaction.verdict = verdict
      return
    }
    const letter = command.endOfHeader
    const verdict = await this.#ask('endOfHeader', letter, '', {}, noEndOfHeader, quietEndOfHeader, timeoutMs)
    if (verdict.kind !== 'continue') transaction.verdict = verdict
  }

  async #endOfBody(
    transaction: Transaction,
    { journeyId }: FilteredMessage,
    modifications: Modification[],
  ): Promise<Verdict> {
    const connection = this.#connection!
    const { contentTimeoutMs, changes, maxOctets, name } = this.#settings
    this.#tellMacros('endOfBody', command.endOfBody, { i: journeyId })
    await connection.send(writePacket(command.endOfBody))
    let octets = 0
    for (;;) {
      const packet = await connection.next(contentTimeoutMs)
      const answer = readAnswer(packet)
      if (answer.kind === 'progress') continue
      if (isVerdict(answer)) {
        transaction.over = true
        return answer
      }
      octets += packet.data.length
      if (modifications.length >= changes || octets > maxOctets)
        throw new MilterFault('wants too many changes')
      if (isPermitted(answer, this.#agreement.actions)) modifications.push(answer)
      else
        this.#around.log.warn('milter wants a change it did not negotiate', {
          milter: name,
          change: answer.kind,
        })
    }
  }

  /** Runs a part of the dialogue; any trouble breaks the session with the milter. */
  async #quietly(work: () => Promise<void>): Promise<void> {
    if (this.#state === 'broken' || this.#state === 'closed') return
    // The door gave up on an earlier question: its answer would be taken for one to this.
    if (this.#waiting) return this.#break(new MilterFault('was not waited for'))
    this.#waiting = true
    try {
      await work()
    } catch (error) {
      this.#break(error)
    } finally {
      this.#waiting = false
    }
  }

  #break(error: unknown): void {
    if (this.#state === 'broken' || this.#state === 'closed') return
    this.#state = 'broken'
    this.#connection?.destroy()
    this.#connection = null
    this.#around.log.warn('milter failed', { milter: this.#settings.name, error })
  }

  #failed(stage = 'message'): FilterEnding {
    const refusal = this.#settings.onFailure === 'tempfail' ? notChecked() : null
    tell(this.#client, refusal, { filter: this.#settings.name, stage, answer: 'failed', us: 0 })
    return refusal === null ? nothingToSay : { refusal }
  }

  #abort(): void {
    const transaction = this.#transaction
    this.#transaction = null
    transaction?.kept?.release()
    if (transaction === null || transaction.over || this.#state !== 'open') return
    void this.#connection?.send(writePacket(command.abort))?.catch(() => {})
  }
}

function isVerdict(answer: ReturnType<typeof readAnswer>): answer is Verdict {
  return ['continue', 'accept', 'reject', 'tempfail', 'discard', 'skip', 'reply'].includes(answer.kind)
}

class Transaction {
  readonly head: HeadAndBody
  readonly kept: KeptMessage | null
  headerTold = false
  skipping = false
  /** The end of the message has been told. */
  over = false
  verdict: Verdict | null = null
  us = 0
  #rest: Uint8Array[] = []
  #restOctets = 0

  constructor(settings: MilterSettings, kept: KeptMessage | null) {
    this.head = new HeadAndBody(settings.headerOctets)
    this.kept = kept
  }

  /** Gathers a body into pieces of `bodyPieceOctets`; the last may be shorter. */
  *pieces(body: Uint8Array, last: boolean): Generator<Uint8Array> {
    let rest = body
    while (this.#restOctets + rest.length >= bodyPieceOctets) {
      const taken = bodyPieceOctets - this.#restOctets
      this.#keep(rest.subarray(0, taken))
      rest = rest.subarray(taken)
      yield this.#flush()
    }
    this.#keep(rest)
    if (last && this.#restOctets > 0) yield this.#flush()
  }

  /** A copy: the buffer is the door's. */
  #keep(octets: Uint8Array): void {
    if (octets.length === 0) return
    this.#rest.push(Buffer.from(octets))
    this.#restOctets += octets.length
  }

  #flush(): Uint8Array {
    const piece = Buffer.concat(this.#rest)
    this.#rest = []
    this.#restOctets = 0
    return piece
  }
}
