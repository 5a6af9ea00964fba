/** Collects the ARC sets of a header, RFC 8617 §4 and §5.2 steps 1 and 2: well formed as a whole or not at all. */
import type { SignedField } from '../dkim/canonical-header.ts'
import {
  type BadSignature,
  type MessageSignature,
  readCoreTags,
  readMessageTags,
  readTags,
  refuseField,
  refuseTag,
  required,
  type SignatureCore,
  type Tags,
} from '../dkim/signature.ts'
import { type AuthenticationResults, parseAuthenticationResults } from '../results-field.ts'

export type ChainValidation = 'none' | 'pass' | 'fail'

export interface Seal extends SignatureCore {
  readonly instance: number
  readonly chainValidation: ChainValidation
}

export interface ArcMessageSignature extends MessageSignature {
  readonly instance: number
}

export interface ArcSet {
  readonly instance: number
  readonly resultsField: SignedField
  /** What that hop says it found; null when it cannot be read. */
  readonly results: AuthenticationResults | null
  readonly messageSignature: ArcMessageSignature
  readonly seal: Seal
}

export type Chain =
  | { readonly kind: 'none' }
  | { readonly kind: 'bad'; readonly reason: string; readonly instances: number }
  /** By instance, 1 first. */
  | { readonly kind: 'chain'; readonly sets: readonly ArcSet[] }

interface Parts {
  results?: { instance: number; field: SignedField; results: AuthenticationResults | null }
  message?: ArcMessageSignature
  seal?: Seal
}

/** @param setsMax RFC 8617 §4.2.1 sets 50. */
export function readChain(fields: readonly SignedField[], setsMax: number): Chain {
  const own = fields.filter(({ name }) =>
    /^arc-(?:seal|message-signature|authentication-results)$/i.test(name),
  )
  if (own.length === 0) return { kind: 'none' }
  const bad = (reason: string): Chain => ({ kind: 'bad', reason, instances: Math.ceil(own.length / 3) })
  if (own.length > 3 * setsMax) return bad(`over ${setsMax} sets`)
  const parts = new Map<number, Parts>()
  for (const field of own) {
    const problem = addField(field, parts, setsMax)
    if (problem !== null) return bad(problem)
  }
  const sets: ArcSet[] = []
  for (let instance = 1; instance <= parts.size; instance++) {
    const { results, message, seal } = parts.get(instance) ?? {}
    if (results === undefined || message === undefined || seal === undefined) {
      return bad(`set ${instance} is not whole`)
    }
    sets.push({
      instance,
      resultsField: results.field,
      results: results.results,
      messageSignature: message,
      seal,
    })
  }
  return { kind: 'chain', sets }
}

function addField(field: SignedField, parts: Map<number, Parts>, setsMax: number): string | null {
  const name = field.name.toLowerCase()
  const read =
    name === 'arc-seal'
      ? readSeal(field, setsMax)
      : name === 'arc-message-signature'
        ? readMessageSignature(field, setsMax)
        : readResults(field, setsMax)
  if ('wellFormed' in read) return `${field.name}: ${read.reason}`
  const set = parts.get(read.instance) ?? {}
  parts.set(read.instance, set)
  const twice = `${field.name} ${read.instance} is there twice`
  if ('chainValidation' in read) {
    if (set.seal !== undefined) return twice
    set.seal = read
  } else if ('names' in read) {
    if (set.message !== undefined) return twice
    set.message = read
  } else {
    if (set.results !== undefined) return twice
    set.results = read
  }
  return null
}

/** RFC 8617 §4.1.3. */
function readSeal(field: SignedField, setsMax: number): Seal | BadSignature {
  return readTags(field, (tags) => {
    // A seal covers ARC sets only, always relaxed.
    refuseTag(tags, 'h')
    // ABNF's strings have no case.
    const chainValidation = required(tags, 'cv').toLowerCase()
    if (chainValidation !== 'none' && chainValidation !== 'pass' && chainValidation !== 'fail') {
      return refuseField('signature syntax error: cv=')
    }
    return { ...readCoreTags(field, tags), instance: readInstance(tags, setsMax), chainValidation }
  })
}

/** RFC 8617 §4.1.2: as a DKIM-Signature without v=, and i= is the instance. */
function readMessageSignature(field: SignedField, setsMax: number): ArcMessageSignature | BadSignature {
  return readTags(field, (tags) => {
    const message = readMessageTags(field, tags)
    if (message.names.includes('arc-seal')) refuseField('h= has ARC-Seal')
    // RFC 6376 §6.1.1: without it anybody may be made the author of what was signed. arc_test_suite passes an empty h=.
    if (message.names.length > 0 && !message.names.includes('from')) refuseField('From field not signed')
    return { ...message, instance: readInstance(tags, setsMax) }
  })
}

/** arc-info = instance [CFWS] ";" authres-payload ; RFC 8617 §4.1.1 */
function readResults(field: SignedField, setsMax: number): NonNullable<Parts['results']> | BadSignature {
  const found = /^[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*(\d\d?)[ \t\r\n]*;/.exec(field.value)
  const instance = Number(found?.[1] ?? 0)
  if (found === null || instance < 1 || instance > setsMax) {
    return { reason: 'no instance', wellFormed: false, domain: null, selector: null, algorithm: null }
  }
  return { instance, field, results: parseAuthenticationResults(field.value.slice(found[0].length)) }
}

function readInstance(tags: Tags, setsMax: number): number {
  const value = required(tags, 'i')
  const instance = /^\d\d?$/.test(value) ? Number(value) : 0
  if (instance < 1 || instance > setsMax) refuseField('signature syntax error: i=')
  return instance
}
