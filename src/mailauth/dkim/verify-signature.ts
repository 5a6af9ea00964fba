import { createHash, verify } from 'node:crypto'
import type { Resolver } from '../../dns/resolver.ts'
import { DnsFailure } from '../../dns/resolver.ts'
import type { BadKey, DkimKey, KeyCache } from './key.ts'
import type { SignatureCore } from './signature.ts'

/** Records of one selector that are tried, RFC 6376 §6.1.2 step 4. */
const recordsMax = 3

/** What DNS said about a selector. */
export type FoundKeys =
  | { readonly kind: 'found'; readonly records: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly reason: string }

/** Never throws for what DNS does. */
export async function findKeys(
  resolver: Resolver,
  { domain, selector }: { readonly domain: string; readonly selector: string },
): Promise<FoundKeys> {
  try {
    const { records } = await resolver.query(`${selector}._domainkey.${domain}`, 'TXT')
    return records.length === 0 ? { kind: 'none' } : { kind: 'found', records: records.slice(0, recordsMax) }
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error
    return { kind: 'failed', reason: error.reason }
  }
}

/** After what waits for this thread. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export interface Checked {
  readonly result: 'pass' | 'fail' | 'permerror' | 'temperror'
  readonly reason: string | null
  /** Of the record that decided. */
  readonly record: string | null
  readonly key: DkimKey | null
}

/**
 * RFC 6376 §6.1.2 steps 2 to 8 and §6.1.3 step 4: the first record whose key made the signature decides, else the last.
 *
 * @param text What was signed.
 * @param accept A further condition on the key; a text says why it is not met.
 */
export function checkSignature(
  { algorithm, signature }: SignatureCore,
  found: FoundKeys,
  text: Buffer,
  keys: KeyCache,
  accept: (key: DkimKey) => string | null = acceptForMail,
): Checked {
  const ended = (result: Checked['result'], reason: string | null): Checked => ({
    ...{ result, reason, record: null, key: null },
  })
  if (found.kind === 'failed') return ended('temperror', `key unavailable: ${found.reason}`)
  if (found.kind === 'none') return ended('permerror', 'no key for signature')
  let last = ended('permerror', 'no key for signature')
  for (const record of found.records) {
    const key: DkimKey | BadKey = keys.read(record, algorithm)
    if ('reason' in key) {
      // Of several records, one that could be judged says more than one that could not be read.
      if (last.key === null) last = { result: 'permerror', reason: key.reason, record, key: null }
      continue
    }
    const problem = accept(key)
    if (problem !== null) last = { result: 'permerror', reason: problem, record, key }
    else if (isSignedBy(key, algorithm, text, signature)) return { result: 'pass', reason: null, record, key }
    else last = { result: 'fail', reason: 'signature did not verify', record, key }
  }
  return last
}

/** RFC 6376 §3.6.1: of s= only `email` is for mail. */
export function acceptForMail({ forMail }: DkimKey): string | null {
  return forMail ? null : notForMail
}

export const notForMail = 'key is not for mail'

function isSignedBy({ publicKey }: DkimKey, algorithm: string, text: Buffer, signature: Buffer): boolean {
  if (algorithm === 'rsa-sha256') return verify('sha256', text, publicKey, signature)
  // RFC 8463 §3.
  return verify(null, createHash('sha256').update(text).digest(), publicKey, signature)
}
