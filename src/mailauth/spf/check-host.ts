/**
 * check_host() of RFC 7208 §4: may this address send for this domain?
 *
 * Ordinary outcomes are values that say which record and which mechanism decided. DNS that does not answer is `temperror`;
 * what a domain has written wrongly, or asks too much for, is `permerror`.
 */
import { normaliseName } from '../../dns/name.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { isSubdomainOrSame } from '../domain.ts'
import { type IpAddress, isInNetwork, readAddress } from '../ip-address.ts'
import { Lookups, SpfEnd } from './lookups.ts'
import { expandMacros, isExplainString, type MacroFacts } from './macro.ts'
import { type Directive, isSpfRecord, parseSpfRecord, type Qualifier, type SpfRecord } from './record.ts'
import { chooseName, findValidatedNames } from './validated-names.ts'

export type SpfVerdict = Qualifier | 'none' | 'permerror' | 'temperror'

export interface SpfResult {
  readonly result: SpfVerdict
  /** Of an error or `none`; null otherwise. */
  readonly reason: string | null
  /** Whose record was asked for. */
  readonly domain: string
  /** The domain's own record; null when there is none or it could not be had. */
  readonly record: string | null
  /** The directives that led to the result, from the domain's own to the one included deepest: `include:a.example ip4:…`. */
  readonly mechanism: string | null
  /** What the domain says to those it fails; a stranger's words. */
  readonly explanation: string | null
  /** Terms that looked something up, 0 to 10. */
  readonly lookups: number
  readonly voidLookups: number
  /** What was asked, `example.com TXT`. */
  readonly asked: readonly string[]
}

export interface SpfQuestion {
  readonly address: string
  /** A-labels. */
  readonly domain: string
  /** `local-part@domain`. */
  readonly sender: string
  readonly helo: string
}

export interface SpfWorld {
  readonly resolver: Resolver
  /** Our own name, for %{r}. */
  readonly hostname: string
  /** Milliseconds since 1970. */
  now(): number
}

/** RFC 7208 §4.6.4: address records of one mx. */
const exchangesMax = 10
const explanationMax = 500

/** Never throws for what DNS does. */
export async function checkHost(world: SpfWorld, question: SpfQuestion): Promise<SpfResult> {
  const lookups = new Lookups(world.resolver)
  const evaluation = new Evaluation(world, question, lookups)
  const { result, reason, mechanism, explanation } = await evaluation.run()
  return {
    ...{ result, reason, mechanism, explanation },
    domain: question.domain,
    record: evaluation.record,
    lookups: lookups.terms,
    voidLookups: lookups.voids,
    asked: lookups.asked,
  }
}

interface Outcome {
  readonly result: SpfVerdict
  readonly reason: string | null
  readonly mechanism: string | null
}

const none = (reason: string): Outcome => ({ result: 'none', reason, mechanism: null })

class Evaluation {
  readonly #world: SpfWorld
  readonly #lookups: Lookups
  readonly #question: SpfQuestion
  readonly #address: IpAddress | null
  readonly #sender: string
  #validated: Promise<string[]> | null = null
  /** Where `fail` may be explained: the domain's own record, or the one it redirects to. §6.2. */
  #explains: { exp: string; domain: string } | null = null
  record: string | null = null

  constructor(world: SpfWorld, question: SpfQuestion, lookups: Lookups) {
    this.#world = world
    this.#lookups = lookups
    this.#question = question
    this.#address = readAddress(question.address)
    // §4.3.
    this.#sender = question.sender.startsWith('@') ? `postmaster${question.sender}` : question.sender
  }

  async run(): Promise<Outcome & { explanation: string | null }> {
    try {
      const outcome = await this.#check(this.#question.domain, 0)
      const explanation = outcome.result === 'fail' ? await this.#explain() : null
      return { ...outcome, explanation }
    } catch (error) {
      if (!(error instanceof SpfEnd)) throw error
      return { result: error.result, reason: error.message, mechanism: null, explanation: null }
    }
  }

  /** @param depth Of include; a redirect stays where it is. @throws {SpfEnd} */
  async #check(domain: string, depth: number, redirected = false): Promise<Outcome> {
    if (this.#address === null) return none('no address')
    const name = normaliseName(domain)
    // §4.3: malformed, or not of several labels.
    if (name === null || !name.includes('.') || readAddress(name) !== null)
      return none('no such domain can exist')
    const found = (await this.#lookups.queryFreely(name, 'TXT')).filter(isSpfRecord)
    if (found.length === 0) return none('no record')
    if (depth === 0 && !redirected) this.record = found[0]!
    // §4.5.
    if (found.length > 1) throw new SpfEnd('permerror', `${name} has ${found.length} records`)
    const record = parseSpfRecord(found[0]!)
    if ('reason' in record) throw new SpfEnd('permerror', `${name}: ${record.reason}`)
    if (depth === 0) this.#explains = record.exp === null ? null : { exp: record.exp, domain: name }
    for (const directive of record.directives) {
      const matched = await this.#matches(directive, name, depth)
      if (matched !== null) {
        const mechanism = matched === '' ? directive.text : `${directive.text} ${matched}`
        return { result: directive.qualifier, reason: null, mechanism }
      }
    }
    return this.#redirect(record, name, depth)
  }

  /** §6.1. */
  async #redirect({ redirect }: SpfRecord, domain: string, depth: number): Promise<Outcome> {
    // §4.7.
    if (redirect === null) return { result: 'neutral', reason: null, mechanism: null }
    this.#lookups.countTerm()
    const target = await this.#expand(redirect, domain)
    const outcome = await this.#check(target, depth, true)
    if (outcome.result === 'none') throw new SpfEnd('permerror', `redirect=${target}: ${outcome.reason}`)
    const mechanism =
      outcome.mechanism === null ? `redirect=${target}` : `redirect=${target} ${outcome.mechanism}`
    return { ...outcome, mechanism }
  }

  /** @returns Null: no match; else what matched further in, '' for the directive itself. @throws {SpfEnd} */
  async #matches(directive: Directive, domain: string, depth: number): Promise<string | null> {
    const address = this.#address as IpAddress
    const itself = (matches: boolean): string | null => (matches ? '' : null)
    switch (directive.kind) {
      case 'all':
        return ''
      case 'ip':
        return itself(isInNetwork(address, directive.network, directive.bits))
    }
    this.#lookups.countTerm()
    const target = directive.domain === null ? domain : await this.#expand(directive.domain, domain)
    // RFC 8616 §4: no name in DNS has the local part of such a sender.
    if (/[^\x00-\x7f]/.test(target)) return null
    switch (directive.kind) {
      case 'include':
        return this.#include(target, depth)
      case 'exists':
        // §5.7: always A, whatever the client's address is.
        return itself((await this.#lookups.query(target, 'A')).records.length > 0)
      case 'ptr': {
        const names = await this.#validatedNames()
        return itself(names.some((name) => isSubdomainOrSame(name, normaliseName(target) ?? target)))
      }
      case 'a':
        return itself(await this.#hasAddress(target, directive))
      case 'mx':
        return itself(await this.#isExchange(target, directive))
    }
  }

  /** §5.2: only a pass of the other record is a match. */
  async #include(target: string, depth: number): Promise<string | null> {
    const outcome = await this.#check(target, depth + 1)
    if (outcome.result === 'none') throw new SpfEnd('permerror', `include:${target}: ${outcome.reason}`)
    return outcome.result === 'pass' ? (outcome.mechanism ?? '') : null
  }

  async #hasAddress(
    name: string,
    bits: { readonly bits4: number; readonly bits6: number },
  ): Promise<boolean> {
    const address = this.#address as IpAddress
    const [type, length] =
      address.family === 4 ? (['A', bits.bits4] as const) : (['AAAA', bits.bits6] as const)
    const { records } = await this.#lookups.query(name, type)
    return records.some((text) => {
      const found = readAddress(text)
      return found !== null && isInNetwork(address, found, length)
    })
  }

  async #isExchange(
    name: string,
    bits: { readonly bits4: number; readonly bits6: number },
  ): Promise<boolean> {
    const { records } = await this.#lookups.query(name, 'MX')
    if (records.length > exchangesMax)
      throw new SpfEnd('permerror', `${name} has over ${exchangesMax} MX records`)
    for (const { exchange } of records) {
      if (exchange !== '' && (await this.#hasAddress(exchange, bits))) return true
    }
    return false
  }

  #validatedNames(): Promise<string[]> {
    this.#validated ??= findValidatedNames(this.#address as IpAddress, this.#lookups)
    return this.#validated
  }

  #facts(domain: string): MacroFacts {
    return {
      ...{ domain, sender: this.#sender, address: this.#address as IpAddress, helo: this.#question.helo },
      receiver: this.#world.hostname,
      now: Math.floor(this.#world.now() / 1000),
      validatedName: async () => chooseName(await this.#validatedNames(), domain),
    }
  }

  /** @returns A name of at most 253 octets: §7.3 cuts labels off its left. @throws {SpfEnd} */
  async #expand(spec: string, domain: string): Promise<string> {
    const text = await expandMacros(spec, this.#facts(domain))
    if (text === null) throw new SpfEnd('permerror', `macros make too long a name: ${spec.slice(0, 100)}`)
    let name = text.endsWith('.') ? text.slice(0, -1) : text
    while (name.length > 253) {
      const dot = name.indexOf('.')
      if (dot < 0) break
      name = name.slice(dot + 1)
    }
    return name
  }

  /** §6.2: whatever goes wrong here, there is just no explanation. */
  async #explain(): Promise<string | null> {
    if (this.#explains === null) return null
    const { exp, domain } = this.#explains
    try {
      const [text, ...others] = await this.#lookups.queryFreely(await this.#expand(exp, domain), 'TXT')
      if (text === undefined || others.length > 0 || !isExplainString(text)) return null
      const words = await expandMacros(text, this.#facts(domain))
      if (words === null || /[^\x20-\x7e]/.test(words)) return null
      return words.slice(0, explanationMax)
    } catch (error) {
      if (error instanceof SpfEnd) return null
      throw error
    }
  }
}
