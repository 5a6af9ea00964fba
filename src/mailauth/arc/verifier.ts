/** Validates the chain of one message, RFC 8617 §5.2. */
import type { BodyHashes } from '../dkim/body-hashes.ts'
import {
  canonicalField,
  FieldPicker,
  type SignedField,
  signedText,
  withoutSignature,
} from '../dkim/canonical-header.ts'
import type { DkimWorld } from '../dkim/verifier.ts'
import { type Checked, checkSignature, findKeys, type FoundKeys, nextTurn } from '../dkim/verify-signature.ts'
import type { AuthenticationResults } from '../results-field.ts'
import { type ArcSet, type Chain, type ChainValidation, readChain } from './chain.ts'

export interface ArcHop {
  readonly instance: number
  /** d= of the seal. */
  readonly domain: string
  readonly selector: string
  readonly chainValidation: ChainValidation
  /** What that hop attests; to be believed only when its domain is trusted and the chain passes. */
  readonly results: AuthenticationResults | null
}

export interface ArcResult {
  /** `temperror`: a key could not be looked up; RFC 8617 has no word for it. */
  readonly result: 'none' | 'pass' | 'fail' | 'temperror'
  readonly reason: string | null
  /** Sets the message has. */
  readonly instances: number
  /** By instance, 1 first; empty when the chain is not well formed. */
  readonly hops: readonly ArcHop[]
}

interface SetKeys {
  readonly seal: Promise<FoundKeys>
  readonly message: Promise<FoundKeys> | null
}

export class ArcVerifier {
  readonly #world: DkimWorld
  readonly #bodies: BodyHashes
  readonly #fields: readonly SignedField[]
  readonly #chain: Chain
  readonly #keys: SetKeys[] = []

  /** @param bodies Before the body begins. @param setsMax More are a failed chain. */
  constructor(
    world: DkimWorld,
    fields: readonly SignedField[],
    bodies: BodyHashes,
    options: { readonly setsMax: number },
  ) {
    this.#world = world
    this.#bodies = bodies
    this.#fields = fields
    const chain = readChain(fields, options.setsMax)
    this.#chain = chain
    if (chain.kind !== 'chain' || statedFailure(chain.sets) !== null) return
    for (const { instance, messageSignature, seal } of chain.sets) {
      const newest = instance === chain.sets.length
      const hashed = newest && bodies.want(messageSignature.bodyCanonicalisation, messageSignature.bodyOctets)
      this.#keys.push({
        seal: findKeys(world.resolver, seal),
        // §5.2 step 4: only the newest has to be good; what was before it may have been changed since.
        message: hashed ? findKeys(world.resolver, messageSignature) : null,
      })
    }
  }

  /** After the bodies have been finished. */
  async finish(): Promise<ArcResult> {
    const chain = this.#chain
    if (chain.kind === 'none') return { result: 'none', reason: null, instances: 0, hops: [] }
    if (chain.kind === 'bad') {
      return { result: 'fail', reason: chain.reason, instances: chain.instances, hops: [] }
    }
    const { sets } = chain
    const hops = sets.map(({ instance, seal, results }) => ({
      ...{ instance, results },
      domain: seal.domain,
      selector: seal.selector,
      chainValidation: seal.chainValidation,
    }))
    const ended = (result: ArcResult['result'], reason: string | null): ArcResult => ({
      ...{ result, reason, hops },
      instances: sets.length,
    })
    const stated = statedFailure(sets)
    if (stated !== null) return ended('fail', stated)
    const message = await this.#checkMessage(sets)
    if (message.result !== 'pass') return ended(resultOf(message), `ARC-Message-Signature: ${message.reason}`)
    const texts = sealedTexts(sets)
    for (let index = sets.length - 1; index >= 0; index--) {
      if (index < sets.length - 1) await nextTurn()
      const found = await this.#keys[index]!.seal
      const text = Buffer.from(texts[index]!, 'latin1')
      const seal = checkSignature(sets[index]!.seal, found, text, this.#world.keys)
      if (seal.result !== 'pass') return ended(resultOf(seal), `ARC-Seal ${index + 1}: ${seal.reason}`)
    }
    return ended('pass', null)
  }

  async #checkMessage(sets: readonly ArcSet[]): Promise<Checked> {
    const { messageSignature } = sets.at(-1)!
    const { bodyCanonicalisation, bodyOctets, headerCanonicalisation, names, field } = messageSignature
    const found = await this.#keys.at(-1)!.message
    if (found === null) return { result: 'fail', reason: 'too many different l=', record: null, key: null }
    const text = signedText(new FieldPicker(this.#fields).pick(names, field), field, headerCanonicalisation)
    const checked = checkSignature(messageSignature, found, text, this.#world.keys)
    const digest = this.#bodies.get(bodyCanonicalisation, bodyOctets)
    if (checked.result !== 'pass') return checked
    if (digest.hash !== messageSignature.bodyHash) {
      return { ...checked, result: 'fail', reason: 'body hash did not verify' }
    }
    return digest.hashedOctets < digest.octets
      ? { ...checked, result: 'fail', reason: 'the body is not signed as a whole' }
      : checked
  }
}

/** What each seal covers, §5.1.1: all sets up to its own. Each field is brought into its form once; one char per octet. */
function sealedTexts(sets: readonly ArcSet[]): string[] {
  let before = ''
  return sets.map(({ resultsField, messageSignature, seal }) => {
    before += `${canonicalField(resultsField, 'relaxed')}\r\n${canonicalField(messageSignature.field, 'relaxed')}\r\n`
    const text = before + canonicalField(withoutSignature(seal.field), 'relaxed')
    before += `${canonicalField(seal.field, 'relaxed')}\r\n`
    return text
  })
}

/** §5.2 step 3: what the sets themselves say of the chain. */
function statedFailure(sets: readonly ArcSet[]): string | null {
  for (const { instance, seal } of sets) {
    const wanted = instance === 1 ? 'none' : 'pass'
    if (seal.chainValidation !== wanted) return `ARC-Seal ${instance} says cv=${seal.chainValidation}`
  }
  return null
}

function resultOf({ result }: Checked): 'fail' | 'temperror' {
  return result === 'temperror' ? 'temperror' : 'fail'
}
