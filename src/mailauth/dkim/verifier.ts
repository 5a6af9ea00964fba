/**
 * Verifies the DKIM signatures of one message, RFC 6376 §6. Keys are asked for as soon as the header is known, while the
 * body is still coming.
 */
import type { Resolver } from '../../dns/resolver.ts'
import { isSubdomainOrSame } from '../domain.ts'
import type { BodyHashes } from './body-hashes.ts'
import { FieldPicker, type SignedField, signedText } from './canonical-header.ts'
import type { DkimKey, KeyCache } from './key.ts'
import { type BadSignature, type DkimSignature, readDkimSignature } from './signature.ts'
import { checkSignature, findKeys, type FoundKeys, nextTurn, notForMail } from './verify-signature.ts'

/** The words of RFC 8601 §2.7.1, of which `none` is an empty list. */
export type DkimVerdict = 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror'

export interface DkimResult {
  readonly result: DkimVerdict
  /** Null for a pass. */
  readonly reason: string | null
  /** Of d=, A-labels; null when it could not be read. */
  readonly domain: string | null
  readonly selector: string | null
  readonly algorithm: string | null
  /** Of i=, `@domain` when not said. */
  readonly identity: string | null
  /** The first 8 chars of b=, which tell signatures of one domain apart: RFC 6008 §4. */
  readonly shortSignature: string | null
  /** The text of the key record that decided. */
  readonly record: string | null
  readonly keyBits: number | null
  /** t=y in the key: the domain is testing. */
  readonly testing: boolean
  /** With l=: how much of the canonicalised body is signed. */
  readonly signedBodyOctets: number | null
  readonly bodyOctets: number | null
}

export interface DkimWorld {
  readonly resolver: Resolver
  readonly keys: KeyCache
  /** Milliseconds since 1970. */
  now(): number
}

/** Of several such fields readers show, or obey, the first one. */
const shownOnce = ['from', 'subject', 'content-type', 'content-transfer-encoding'] as const

interface Begun {
  readonly signature: DkimSignature
  readonly keys: Promise<FoundKeys>
}

export class DkimVerifier {
  readonly #world: DkimWorld
  readonly #bodies: BodyHashes
  readonly #picker: FieldPicker
  readonly #all: (Begun | BadSignature)[] = []
  /** Signatures over the bound, which nobody looked at. */
  readonly skipped: number

  /**
   * @param fields Of the whole header, from top to bottom.
   * @param bodies Before the body begins.
   * @param signaturesMax More are not looked at; those of the author's domain come first.
   */
  constructor(
    world: DkimWorld,
    fields: readonly SignedField[],
    bodies: BodyHashes,
    options: { readonly signaturesMax: number; readonly authorDomain: string | null },
  ) {
    this.#world = world
    this.#bodies = bodies
    this.#picker = new FieldPicker(fields)
    const own = fields.filter((field) => field.name.toLowerCase() === 'dkim-signature')
    const chosen = choose(own, options)
    this.skipped = own.length - chosen.length
    for (const signature of chosen) {
      if ('wellFormed' in signature) {
        this.#all.push(signature)
        continue
      }
      if (!bodies.want(signature.bodyCanonicalisation, signature.bodyOctets)) {
        const { domain, selector, algorithm } = signature
        this.#all.push({ domain, selector, algorithm, reason: 'too many different l=', wellFormed: true })
        continue
      }
      this.#all.push({ signature, keys: findKeys(world.resolver, signature) })
    }
  }

  /** After the bodies have been finished. @returns One result for each signature that was looked at. */
  async finish(): Promise<DkimResult[]> {
    const results: DkimResult[] = []
    for (const one of this.#all) {
      if ('wellFormed' in one) results.push(unread(one))
      else {
        const found = await one.keys
        // Each takes up to half a millisecond: others on this thread have their turn in between.
        if (results.length > 0) await nextTurn()
        results.push(this.#judge(one.signature, found))
      }
    }
    return results
  }

  #isAddedTo(name: string, signed: readonly string[]): boolean {
    const times = signed.filter((one) => one === name).length
    return times > 0 && this.#picker.count(name) > times
  }

  /** RFC 6376 §3.6.1. */
  #objectionTo(key: DkimKey, { names, identityDomain, domain }: DkimSignature): string | null {
    // RFC 8460 §3: who has such a key signs that it is a report, and nothing else.
    const isTlsReport = names.includes('tls-report-domain') && this.#picker.count('tls-report-domain') === 1
    if (!key.forMail && !(key.forTlsReports && isTlsReport)) return notForMail
    return key.strict && identityDomain !== domain ? 'domain mismatch: key says t=s' : null
  }

  #judge(signature: DkimSignature, found: FoundKeys): DkimResult {
    const { headerCanonicalisation, bodyCanonicalisation, bodyOctets, expiresAt } = signature
    const digest = this.#bodies.get(bodyCanonicalisation, bodyOctets)
    const text = signedText(
      this.#picker.pick(signature.names, signature.field),
      signature.field,
      headerCanonicalisation,
    )
    const checked = checkSignature(signature, found, text, this.#world.keys, (key) =>
      this.#objectionTo(key, signature),
    )
    let result: DkimVerdict = checked.result
    let reason = checked.reason
    if (result === 'pass') {
      if (digest.hash !== signature.bodyHash) {
        result = 'fail'
        reason = 'body hash did not verify'
      } else if (bodyOctets !== null && bodyOctets > digest.octets) {
        // RFC 6376 §3.5: l= must not be larger than the body.
        result = 'permerror'
        reason = 'l= is larger than the body'
      } else if (expiresAt !== null && this.#world.now() > expiresAt * 1000) {
        result = 'permerror'
        reason = 'signature expired'
      } else if (digest.hashedOctets < digest.octets) {
        // RFC 6376 §8.2: whoever added the rest may have added anything. RFC 8601 §2.7.1 calls it policy.
        result = 'policy'
        reason = `only ${digest.hashedOctets} of ${digest.octets} octets of the body are signed`
      } else {
        // RFC 6376 §8.15: a field that was added above is what a reader sees, and the signature covers the one below.
        const added = shownOnce.find((name) => this.#isAddedTo(name, signature.names))
        if (added !== undefined) {
          result = 'policy'
          reason = `not every ${added} field is signed`
        }
      }
    }
    return {
      ...{ result, reason },
      ...describe(signature),
      record: checked.record,
      keyBits: checked.key?.bits ?? null,
      testing: checked.key?.testing ?? false,
      signedBodyOctets: bodyOctets === null ? null : digest.hashedOctets,
      bodyOctets: digest.octets,
    }
  }
}

function describe({ domain, selector, algorithm, identity, signature }: DkimSignature) {
  return {
    ...{ domain, selector, algorithm, identity },
    shortSignature: signature.toString('base64').slice(0, 8),
  }
}

function unread({ reason, wellFormed, domain, selector, algorithm }: BadSignature): DkimResult {
  return {
    // RFC 8601 §2.7.1: neutral is for what has errors of syntax.
    result: wellFormed ? 'permerror' : 'neutral',
    ...{ reason, domain, selector, algorithm },
    identity: null,
    shortSignature: null,
    record: null,
    keyBits: null,
    testing: false,
    signedBodyOctets: null,
    bodyOctets: null,
  }
}

/** Fields that are read at all; the others of a message with thousands are only counted. */
const readMax = 100

function choose(
  own: readonly SignedField[],
  { signaturesMax, authorDomain }: { readonly signaturesMax: number; readonly authorDomain: string | null },
): (DkimSignature | BadSignature)[] {
  const all = own.slice(0, Math.max(readMax, signaturesMax)).map(readDkimSignature)
  if (all.length <= signaturesMax || authorDomain === null) return all.slice(0, signaturesMax)
  const related = ({ domain }: DkimSignature | BadSignature): boolean =>
    domain !== null && (isSubdomainOrSame(domain, authorDomain) || isSubdomainOrSame(authorDomain, domain))
  const first = all.filter(related)
  return [...first, ...all.filter((one) => !related(one))].slice(0, signaturesMax)
}
