/** Makes the keys that sign for a domain. */
import { generateKeyPair } from 'node:crypto'
import type { DomainKey } from '../store/domain-keys.ts'

/** RFC 8301 §3.2: 2,048 bits or more; more do not fit into what many DNS servers take. */
const rsaBits = 2_048

/**
 * One of each kind: RSA because everybody reads it, Ed25519 (RFC 8463) because it is the better one.
 *
 * @param existing Of the domain; their selectors are not used again.
 */
export async function makeKeyPair(
  domain: string,
  existing: readonly DomainKey[],
  now: number,
  activeFrom: number,
): Promise<readonly [DomainKey, DomainKey]> {
  const label = nextLabel(existing, now)
  const common = { domain, createdAt: now, activeFrom, retiredAt: null }
  const [rsa, ed] = await Promise.all([privateKey('rsa'), privateKey('ed25519')])
  return [
    { ...common, selector: `${label}-rsa`, algorithm: 'rsa-sha256', privateKey: rsa },
    { ...common, selector: `${label}-ed`, algorithm: 'ed25519-sha256', privateKey: ed },
  ]
}

/** `2026a`, `2026b` … `2026z`, `2026za`: the year, and which pair of it. */
function nextLabel(existing: readonly DomainKey[], now: number): string {
  const year = new Date(now).getUTCFullYear()
  const used = new Set(existing.map(({ selector }) => selector.replace(/-[^-]*$/, '')))
  for (let n = 0; ; n++) {
    const label = `${year}${'z'.repeat(Math.floor(n / 26))}${String.fromCharCode(97 + (n % 26))}`
    if (!used.has(label)) return label
  }
}

/** On libuv's pool: a tenth of a second for RSA. */
function privateKey(kind: 'rsa' | 'ed25519'): Promise<string> {
  const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const
  const publicKeyEncoding = { type: 'spki', format: 'pem' } as const
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, _publicKey: string, pem: string): void =>
      error === null ? resolve(pem) : reject(error)
    if (kind === 'rsa')
      generateKeyPair('rsa', { modulusLength: rsaBits, privateKeyEncoding, publicKeyEncoding }, done)
    else generateKeyPair('ed25519', { privateKeyEncoding, publicKeyEncoding }, done)
  })
}
