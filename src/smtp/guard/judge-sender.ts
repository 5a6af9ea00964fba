/**
 * Judges the sender of mail from outside: iprev, SPF, DKIM, ARC and DMARC, and what the author's domain asks for.
 *
 * Look-ups begin with the first good recipient and run while the message comes in; nobody waits for them before its end,
 * except where `spf = "refuse"` has to know at MAIL. DNS that does not answer is never a pass and never a refusal for good:
 * the letter is taken, or, when only the answer that is missing could have saved it from p=reject, asked for again
 * (docs/decisions/162).
 */
import type { ChecksConfig } from '../../base/checks-config.ts'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { ArcResult } from '../../mailauth/arc/verifier.ts'
import { KeyCache } from '../../mailauth/dkim/key.ts'
import type { DkimResult } from '../../mailauth/dkim/verifier.ts'
import { type DmarcResult, evaluateDmarc } from '../../mailauth/dmarc/evaluate.ts'
import { isSubdomainOrSame } from '../../mailauth/domain.ts'
import { checkIprev, type IprevResult } from '../../mailauth/iprev.ts'
import { MessageVerifier, type MessageVerdict } from '../../mailauth/message-verifier.ts'
import { checkHelo, checkSpf, type SpfIdentityResult } from '../../mailauth/spf/check-spf.ts'
import type {
  FilterAnswer,
  FilterClient,
  FilteredMessage,
  FilterEnding,
  FilterSession,
  SmtpFilter,
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
    open: (client) => (client.role === 'mx' ? new Judge(options, keys, client) : null),
  }
}

/** What holds for one address and one HELO name. */
interface OfClient {
  readonly address: string
  readonly helo: string
  readonly iprev: Promise<IprevResult>
  readonly heloSpf: Promise<SpfIdentityResult> | null
}

class Judge implements FilterSession {
  readonly #options: SenderJudgeOptions
  readonly #keys: KeyCache
  readonly #client: FilterClient
  #ofClient: OfClient | null = null
  /** Null: nothing is judged in this transaction. */
  #reversePath: string | null = null
  #spf: Promise<SpfIdentityResult> | null = null
  #message: MessageVerifier | null = null
  #askedForPolicy = false

  constructor(options: SenderJudgeOptions, keys: KeyCache, client: FilterClient) {
    this.#options = options
    this.#keys = keys
    this.#client = client
  }

  mail(path: string): Promise<FilterAnswer> | FilterAnswer {
    const { policy } = this.#options
    this.reset()
    if ((this.#client.trusted && !policy.judgeTrusted) || this.#client.account !== null) return null
    this.#reversePath = path
    return policy.spf === 'refuse' ? this.#refuseAtMail() : null
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

  async end({ recipients }: FilteredMessage): Promise<FilterEnding> {
    if (this.#reversePath === null) return {}
    this.#start()
    const findings = await this.#find()
    for (const [kind, data] of senderEvents(findings)) this.#client.record(kind, data)
    const { hostname, clientName, remoteAddress } = this.#client
    const field = resultsField(findings, {
      hostname,
      clientName,
      remoteAddress,
      reversePath: this.#reversePath,
    })
    const consequence = this.#consequence(findings)
    const { refusal, junk } = consequence
    // What is asked for again is judged again.
    if (refusal === undefined || refusal.reply.code >= 500) {
      const disposition = refusal !== undefined ? 'reject' : junk !== undefined ? 'quarantine' : 'none'
      const reversePath = this.#reversePath
      this.#options.judged?.({ reversePath, recipients, remoteAddress, findings, disposition })
    }
    return { fields: [field], ...consequence }
  }

  reset(): void {
    this.#reversePath = null
    this.#spf = null
    this.#message = null
    this.#askedForPolicy = false
  }

  #start(): void {
    const { resolver, policy } = this.#options
    const { remoteAddress: address, clientName: helo } = this.#client
    if (this.#reversePath === null) return
    const world = this.#spfWorld()
    if (this.#ofClient === null || this.#ofClient.address !== address || this.#ofClient.helo !== helo) {
      this.#ofClient = {
        ...{ address, helo },
        iprev: quiet(checkIprev(resolver, address)),
        heloSpf: policy.spf === 'off' ? null : quiet(checkHelo(world, { address, helo })),
      }
    }
    if (policy.spf === 'off') return
    this.#spf ??=
      this.#reversePath === ''
        ? this.#ofClient.heloSpf
        : quiet(checkSpf(world, { address, helo, reversePath: this.#reversePath }))
  }

  async #refuseAtMail(): Promise<FilterAnswer> {
    this.#start()
    const spf = await this.#within(this.#spf!, null)
    if (spf?.result !== 'fail') return null
    for (const [kind, data] of senderEvents({ ...nothingFound, spf })) this.#client.record(kind, data)
    return spfRefusal(spf, this.#client.remoteAddress)
  }

  async #find(): Promise<SenderFindings> {
    const { resolver, policy } = this.#options
    const { iprev, heloSpf } = this.#ofClient!
    const message = policy.dkim ? (this.#message ?? this.#newVerifier()) : null
    const found = await Promise.all([
      this.#within(iprev, null),
      heloSpf === null ? null : this.#within(heloSpf, null),
      this.#spf === null ? null : this.#within(this.#spf, null),
      message === null ? null : this.#within(message.finish(), null),
    ])
    const verdict = found[3] ?? (message === null ? null : outOfTime(message.authorDomain))
    const spf = found[2] ?? (this.#spf === null ? null : spfOutOfTime(this.#reversePath!))
    // Of the null reverse-path HELO is the identity already.
    const helo = this.#reversePath === '' ? null : found[1]
    const authorDomain = verdict?.authorDomain ?? null
    const dmarc =
      policy.dmarc === 'off' || verdict === null
        ? null
        : await this.#within(
            evaluateDmarc(resolver, { authorDomain, spf, dkim: verdict.dkim }),
            dmarcOutOfTime(authorDomain),
          )
    const trustedHop =
      verdict !== null && dmarc?.result === 'fail' ? trustedHopOf(verdict.arc, policy.trustedArc) : null
    return { iprev: found[0], helo, spf, message: verdict, dmarc, trustedHop }
  }

  /** What the author's domain asks for; a failed SPF alone refuses nothing here. */
  #consequence({ dmarc, trustedHop, message }: SenderFindings): FilterEnding {
    if (dmarc === null || this.#options.policy.dmarc !== 'enforce') return {}
    // Else any policy could be got round: docs/decisions/231.
    if (message?.authorUnclear === true) return { junk: 'DMARC: its From field names no single domain' }
    const { result, policy, testing, authorDomain } = dmarc
    // RFC 9989: t=y asks to leave the policy unapplied.
    if (testing || trustedHop !== null) return {}
    if (result === 'fail' && policy === 'reject') {
      const text = `Refused by the DMARC policy of ${authorDomain} (${dmarc.policyTag}=reject): neither DKIM nor SPF passed for it`
      return { refusal: refuse(550, '5.7.1', text) }
    }
    if (result === 'fail' && policy === 'quarantine') {
      return { junk: `DMARC: ${authorDomain} asks to quarantine what it does not stand behind` }
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
    quiet(this.#options.resolver.query(`_dmarc.${authorDomain}`, 'TXT'))
  }

  #newVerifier(): MessageVerifier {
    const { resolver, limits, clock } = this.#options
    return new MessageVerifier({ resolver, keys: this.#keys, now: () => clock.now() }, limits)
  }

  #spfWorld() {
    const { resolver, hostname, clock } = this.#options
    return { resolver, hostname, now: () => clock.now() }
  }

  /** What comes late is as what does not come. */
  #within<T, Otherwise>(found: Promise<T>, otherwise: Otherwise): Promise<T | Otherwise> {
    const { clock, limits, log } = this.#options
    return new Promise((resolve, reject) => {
      const cancel = clock.after(limits.senderCheckTimeoutMs, () => {
        log.warn('sender could not be judged in time', { ms: limits.senderCheckTimeoutMs })
        resolve(otherwise)
      })
      found.then(resolve, reject).finally(cancel)
    })
  }
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

const late = 'DNS took too long'

function outOfTime(authorDomain: string | null): MessageVerdict {
  const dkim: DkimResult = {
    ...{ result: 'temperror', reason: late, domain: authorDomain, selector: null, algorithm: null },
    ...{ identity: null, shortSignature: null, record: null, keyBits: null, testing: false },
    ...{ signedBodyOctets: null, bodyOctets: null },
  }
  const arc: ArcResult = { result: 'none', reason: late, instances: 0, hops: [] }
  return { dkim: [dkim], dkimSkipped: 0, arc, authorDomain, authorUnclear: false }
}

function spfOutOfTime(reversePath: string): SpfIdentityResult {
  return {
    ...{ result: 'temperror', reason: late, identity: reversePath === '' ? 'helo' : 'mailfrom' },
    ...{ domain: reversePath.slice(reversePath.lastIndexOf('@') + 1).toLowerCase(), record: null },
    ...{ mechanism: null, explanation: null, lookups: 0, voidLookups: 0, asked: [] },
  }
}

function dmarcOutOfTime(authorDomain: string | null): DmarcResult {
  return {
    ...{ result: 'temperror', reason: late, authorDomain, policyDomain: null, record: null, policy: null },
    ...{ policyTag: null, testing: false, aligned: [], missing: [], asked: [] },
  }
}
