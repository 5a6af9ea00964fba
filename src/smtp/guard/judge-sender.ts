/**
 * Judges the sender of mail from outside: iprev, SPF, DKIM, ARC and DMARC, and what the author's domain asks for.
 *
 * Look-ups begin with the first good recipient and run while the message comes in; nobody waits for them before its end,
 * except where `spf = "refuse"` has to know at MAIL. Then all together have `limits.senderCheckTimeoutMs`, and what only
 * tells a reader something has less (docs/decisions/286). DNS that does not answer is never a pass and never a refusal for good:
 * the letter is taken, or, when only the answer that is missing could have saved it from p=reject, asked for again
 * (docs/decisions/162).
 */
import type { ChecksConfig } from '../../base/checks-config.ts'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import { DeadlineResolver } from '../../dns/deadline-resolver.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { ArcResult } from '../../mailauth/arc/verifier.ts'
import { KeyCache } from '../../mailauth/dkim/key.ts'
import { type DmarcResult, evaluateDmarc } from '../../mailauth/dmarc/evaluate.ts'
import { isSubdomainOrSame } from '../../mailauth/domain.ts'
import { checkIprev, type IprevResult } from '../../mailauth/iprev.ts'
import { MessageVerifier } from '../../mailauth/message-verifier.ts'
import { checkHelo, checkSpf, type SpfIdentityResult } from '../../mailauth/spf/check-spf.ts'
import {
  type FilterAnswer,
  type FilterClient,
  type FilteredMessage,
  type FilterEnding,
  type FilterSession,
  nothingToSay,
  type SmtpFilter,
} from '../filter/filter.ts'
import { type Refusal, refuse } from '../wire/reply.ts'
import { resultsField, type SenderFindings, senderEvents } from './sender-fields.ts'

export interface SenderJudgeOptions {
  readonly resolver: Resolver
  /** Ours: authserv-id, and %{r} of SPF. */
  readonly hostname: string
  readonly policy: ChecksConfig
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
  /** Told of each message that was judged for good, for the reports to its author's domain. Must not throw. */
  readonly judged?: (judged: JudgedMessage) => void
}

export interface JudgedMessage {
  readonly reversePath: string
  readonly recipients: readonly string[]
  readonly remoteAddress: string
  readonly findings: SenderFindings
  /** What is done because of DMARC; other filters may do more. */
  readonly disposition: 'none' | 'quarantine' | 'reject'
}

export function createSenderJudge(options: SenderJudgeOptions): SmtpFilter {
  const keys = new KeyCache()
  return {
    name: 'sender',
    open(client) {
      if (client.role !== 'mx' || (client.trusted && !options.policy.judgeTrusted)) return null
      return new Judge(options, keys, client)
    },
  }
}

/** What holds for one address and one HELO name. */
interface OfClient {
  readonly address: string
  readonly helo: string
  readonly dns: DeadlineResolver
  readonly iprev: Promise<IprevResult>
  /** Null until a reverse-path that is not null has come: of that one HELO is the identity, RFC 7208 §2.4. */
  heloSpf: Promise<SpfIdentityResult> | null
}

/** After the end of a message, for what nothing depends on: an address without a name server is no reason to wait. */
const patienceForClientMs = 1_000
/** Of the time for a judgement; the rest is for the policy, which cannot be looked at before. */
const evidenceShare = 0.8

class Judge implements FilterSession {
  readonly #options: SenderJudgeOptions
  readonly #keys: KeyCache
  readonly #client: FilterClient
  #ofClient: OfClient | null = null
  /** Null: nothing is judged in this transaction. */
  #reversePath: string | null = null
  /** For what a message has to show. */
  #dns: DeadlineResolver
  /** For what its author's domain asks for, which is looked at last. */
  #policyDns: DeadlineResolver
  #spf: Promise<SpfIdentityResult> | null = null
  #message: MessageVerifier | null = null
  #askedForPolicy = false

  constructor(options: SenderJudgeOptions, keys: KeyCache, client: FilterClient) {
    this.#options = options
    this.#keys = keys
    this.#client = client
    this.#dns = this.#newDns()
    this.#policyDns = this.#newDns()
  }

  mail(path: string): Promise<FilterAnswer> | FilterAnswer {
    this.reset()
    if (this.#client.account !== null) return null
    this.#reversePath = path
    return this.#options.policy.spf === 'refuse' ? this.#refuseAtMail() : null
  }

  rcpt(_path: string, _parameters: readonly string[], known: boolean): FilterAnswer {
    // Who only guesses addresses costs no look-up.
    if (known) this.#start()
    return null
  }

  octets(chunk: Uint8Array): undefined {
    if (this.#reversePath === null || !this.#options.policy.dkim) return undefined
    this.#start()
    this.#message ??= this.#newVerifier()
    this.#message.push(chunk)
    this.#askForPolicy(this.#message.authorDomain)
    return undefined
  }

  end(message: FilteredMessage): Promise<FilterEnding> | FilterEnding {
    return this.#reversePath === null ? nothingToSay : this.#judge(message, this.#reversePath)
  }

  async #judge({ recipients }: FilteredMessage, reversePath: string): Promise<FilterEnding> {
    this.#start()
    const findings = await this.#find()
    for (const [kind, data] of senderEvents(findings)) this.#client.record(kind, data)
    const { hostname, clientName, remoteAddress } = this.#client
    const field = resultsField(findings, {
      hostname,
      clientName,
      remoteAddress,
      reversePath,
    })
    const consequence = this.#consequence(findings)
    const { refusal, junk } = consequence
    // What is asked for again is judged again.
    if (refusal === undefined || refusal.reply.code >= 500) {
      const disposition = refusal !== undefined ? 'reject' : junk !== undefined ? 'quarantine' : 'none'
      this.#options.judged?.({ reversePath, recipients, remoteAddress, findings, disposition })
    }
    // Of the null reverse-path nobody is told anything.
    const senderProven = this.#reversePath !== '' && findings.spf?.result === 'pass'
    return { fields: [field], senderProven, ...consequence }
  }

  reset(): void {
    if (this.#reversePath === null) return
    this.#reversePath = null
    this.#dns = this.#newDns()
    this.#policyDns = this.#newDns()
    this.#spf = null
    this.#message = null
    this.#askedForPolicy = false
  }

  #start(): void {
    const { policy } = this.#options
    const { remoteAddress: address, clientName: helo } = this.#client
    if (this.#reversePath === null) return
    if (this.#ofClient === null || this.#ofClient.address !== address || this.#ofClient.helo !== helo) {
      const dns = this.#newDns()
      this.#ofClient = { address, helo, dns, iprev: quiet(checkIprev(dns, address)), heloSpf: null }
    }
    if (policy.spf === 'off') return
    const reversePath = this.#reversePath
    const { dns } = this.#ofClient
    if (reversePath !== '')
      this.#ofClient.heloSpf ??= quiet(checkHelo(this.#spfWorld(dns), { address, helo }))
    this.#spf ??= quiet(checkSpf(this.#spfWorld(this.#dns), { address, helo, reversePath }))
  }

  async #refuseAtMail(): Promise<FilterAnswer> {
    this.#start()
    const found = this.#inTime()
    const spf = await this.#spf!
    found()
    if (spf.result !== 'fail') return null
    for (const [kind, data] of senderEvents({ ...nothingFound, spf })) this.#client.record(kind, data)
    return spfRefusal(spf, this.#client.remoteAddress)
  }

  async #find(): Promise<SenderFindings> {
    const { policy } = this.#options
    const { dns, iprev, heloSpf } = this.#ofClient!
    const known = dns.endAfter(patienceForClientMs)
    const found = this.#inTime()
    const checked = policy.dkim ? (this.#message ?? this.#newVerifier()) : null
    const [spf, message] = await Promise.all([this.#spf, checked?.finish() ?? null])
    const authorDomain = message?.authorDomain ?? null
    const dmarc =
      policy.dmarc === 'off' || message === null
        ? null
        : await evaluateDmarc(this.#policyDns, { authorDomain, spf, dkim: message.dkim })
    found()
    const helo = this.#reversePath === '' ? null : heloSpf
    const ofClient = { iprev: await iprev, helo: await helo }
    known()
    const trustedHop =
      message !== null && dmarc?.result === 'fail' ? trustedHopOf(message.arc, policy.trustedArc) : null
    return { ...ofClient, spf, message, dmarc, trustedHop }
  }

  /** What the author's domain asks for; a failed SPF alone refuses nothing here. */
  #consequence(findings: SenderFindings): FilterEnding {
    const { dmarc, trustedHop, message } = findings
    if (dmarc === null || this.#options.policy.dmarc !== 'enforce') return {}
    // Else any policy could be got round: docs/decisions/231.
    if (message?.authorUnclear === true) return { junk: 'DMARC: its From field names no single domain' }
    if (trustedHop !== null) return {}
    const { result, authorDomain } = dmarc
    const policy = policyInForce(dmarc)
    if (result === 'fail' && policy === 'reject' && isListPost(findings)) {
      return { junk: `DMARC: ${authorDomain} does not stand behind it, as may be with a mailing list's post` }
    }
    if (result === 'fail' && policy === 'reject') {
      const text = `Refused by the DMARC policy of ${authorDomain} (${dmarc.policyTag}=reject): neither DKIM nor SPF passed for it`
      return { refusal: refuse(550, '5.7.1', text) }
    }
    if (result === 'fail' && policy === 'quarantine') {
      return { junk: `DMARC: ${authorDomain} asks to quarantine what it does not stand behind` }
    }
    if (result === 'temperror' && policy === 'quarantine') {
      return { junk: `DMARC: DNS does not answer for ${authorDomain}, which asks to quarantine what fails` }
    }
    if (result === 'temperror' && policy === 'reject') {
      const text = `DNS does not answer for ${authorDomain}, whose DMARC policy is reject: try again later`
      return { refusal: refuse(451, '4.7.1', text) }
    }
    return {}
  }

  /** Its answer will be waiting in the resolver's memory when the message has ended. */
  #askForPolicy(authorDomain: string | null): void {
    if (authorDomain === null || this.#askedForPolicy || this.#options.policy.dmarc === 'off') return
    this.#askedForPolicy = true
    this.#policyDns.query(`_dmarc.${authorDomain}`, 'TXT').catch(() => {})
  }

  #newVerifier(): MessageVerifier {
    const { limits, clock } = this.#options
    return new MessageVerifier({ resolver: this.#dns, keys: this.#keys, now: () => clock.now() }, limits)
  }

  #newDns(): DeadlineResolver {
    return new DeadlineResolver(this.#options.resolver, this.#options.clock)
  }

  #spfWorld(resolver: Resolver) {
    const { hostname, clock } = this.#options
    return { resolver, hostname, now: () => clock.now() }
  }

  /** From now on DNS has so long to answer. @returns To be called when it has. */
  #inTime(): () => void {
    const { limits, log } = this.#options
    const ms = limits.senderCheckTimeoutMs
    const late = (): void => log.warn('sender could not be judged in time', { ms })
    const evidence = this.#dns.endAfter(ms * evidenceShare, late)
    const policy = this.#policyDns.endAfter(ms, late)
    return () => {
      evidence()
      policy()
    }
  }
}

/** RFC 9989 §4.7: with t=y the domain is testing, and expects what is one level below. */
function policyInForce({ policy, testing }: DmarcResult): DmarcResult['policy'] {
  if (!testing) return policy
  return policy === 'reject' ? 'quarantine' : 'none'
}

/**
 * Whether this may well be what an honest mailing list makes of an honest letter: it says so, and somebody who has it in
 * his power stands behind that. RFC 9989 §7.4 wants such a thing known before p=reject is taken at its word;
 * docs/decisions/288.
 */
export function isListPost({ message, spf }: Pick<SenderFindings, 'message' | 'spf'>): boolean {
  if (message?.hasListId !== true) return false
  return spf?.result === 'pass' || message.dkim.some(({ result }) => result === 'pass')
}

const nothingFound: SenderFindings = {
  ...{ iprev: null, helo: null, spf: null, message: null, dmarc: null, trustedHop: null },
}

/** It may be that nobody waits for it any more when it fails. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** RFC 7208 §8.4, RFC 7372 §3.2. */
function spfRefusal({ domain, mechanism, explanation }: SpfIdentityResult, address: string): Refusal {
  const why = mechanism === null ? '' : ` (${mechanism.slice(0, 100)})`
  const said = explanation === null ? '' : `; the domain says: ${explanation.slice(0, 200)}`
  return refuse(550, '5.7.23', `${address} may not send mail of ${domain}${why}${said}`)
}

/**
 * The newest hop that is trusted, has only trusted ones after it, and says that DMARC passed when it got the message.
 * Those before it may say what they like.
 */
function trustedHopOf({ result, hops }: ArcResult, trusted: readonly string[]): string | null {
  if (result !== 'pass') return null
  for (const { domain, results } of hops.toReversed()) {
    if (!trusted.some((one) => isSubdomainOrSame(domain, one))) return null
    const dmarc = results?.results.find(({ method }) => method === 'dmarc')
    if (dmarc?.result === 'pass') return domain
  }
  return null
}
