/** Puts the signatures of `mailauth` and the keys of the store together: what signs the mail that leaves this server. */
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Limits } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import { readPrivateKey } from '../mailauth/dkim/sign.ts'
import { DkimSigner, type SigningKey } from '../mailauth/dkim/signer.ts'
import type { DomainKey, DomainKeyStore } from '../store/domain-keys.ts'
import type { SignerSource } from '../submission/signer.ts'

/** Keys that are kept as read; reading one takes longer than signing with it. */
const keptKeysMax = 1_000

export interface SignerParts {
  readonly store: Pick<DomainKeyStore, 'listDomainKeys'>
  readonly clock: Clock
  readonly log: Log
  readonly limits: Pick<Limits, 'headerOctets'>
}

/**
 * The keys are asked for anew with each message, which is one look by key, so that what is added, retired or removed counts
 * at once. A key that cannot be read is left out and logged: mail without a signature is better than no mail.
 */
export function makeSigner({ store, clock, log, limits }: SignerParts): SignerSource {
  const read = new Map<string, KeyObject>()

  function readKey({ domain, selector, algorithm, privateKey }: DomainKey): SigningKey[] {
    let kept = read.get(privateKey)
    if (kept === undefined) {
      try {
        kept = readPrivateKey(privateKey, algorithm)
      } catch {
        // Not the error: it may quote the key.
        log.error('a key that signs cannot be read', { domain, selector })
        return []
      }
      if (read.size >= keptKeysMax) read.clear()
      read.set(privateKey, kept)
    }
    return [{ domain, selector, algorithm, privateKey: kept }]
  }

  /** The domain's own, or those of the nearest domain above it: DMARC takes these as well (relaxed alignment). */
  async function keysFor(authorDomain: string, now: number): Promise<SigningKey[]> {
    const labels = authorDomain.toLowerCase().split('.')
    for (let from = 0; from <= labels.length - 2; from++) {
      const keys = await store.listDomainKeys(labels.slice(from).join('.'))
      if (keys.length > 0) return keys.filter((key) => isActive(key, now)).flatMap(readKey)
    }
    return []
  }

  return {
    open() {
      const signer = new DkimSigner({ headerOctets: limits.headerOctets })
      return {
        push: (octets) => signer.push(octets),
        async finish(authorDomain, fields) {
          const now = clock.now()
          const keys = await keysFor(authorDomain, now)
          return keys.length === 0 ? [] : signer.finish(keys, fields, now)
        },
      }
    },
  }
}

function isActive({ activeFrom, retiredAt }: DomainKey, now: number): boolean {
  return activeFrom <= now && (retiredAt === null || now < retiredAt)
}
