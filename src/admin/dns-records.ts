/** What should stand in DNS for a domain of ours. Values in, values out. */
import { createPublicKey } from 'node:crypto'
import { reportNames } from '../store/accounts.ts'
import type { DomainKey } from '../store/domain-keys.ts'

export interface WantedRecord {
  /** Without a final dot. */
  readonly name: string
  readonly type: 'MX' | 'TXT'
  /** As it means: the character-strings of a TXT record joined. */
  readonly value: string
  /** A line for a zone file; TXT in strings of at most 255 octets, RFC 1035 §3.3. */
  readonly zone: string
  readonly purpose: 'mx' | 'spf' | 'dkim' | 'dmarc' | 'mta-sts' | 'tls-rpt'
  /** False: a suggestion. */
  readonly needed: boolean
}

export function keyRecord(key: DomainKey): WantedRecord {
  const name = `${key.selector}._domainkey.${key.domain}`
  const kind = key.algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519'
  return txt(name, `v=DKIM1; k=${kind}; p=${publicPart(key)}`, 'dkim', true)
}

/** RFC 6376 §3.6.1: for RSA the SubjectPublicKeyInfo; RFC 8463 §4: for Ed25519 its 32 octets, which end it. */
function publicPart({ privateKey, algorithm }: DomainKey): string {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return (algorithm === 'rsa-sha256' ? spki : spki.subarray(-32)).toString('base64')
}

/** @param keys Those whose records should be there: all that are not removed. */
export function domainRecords(
  domain: string,
  hostname: string,
  keys: readonly DomainKey[],
  now: number,
): WantedRecord[] {
  const mx = `10 ${hostname}`
  const [dmarcName, tlsName] = reportNames
  const day = new Date(now).toISOString().slice(0, 10).replaceAll('-', '')
  return [
    {
      ...{ name: domain, type: 'MX', value: mx, purpose: 'mx', needed: true },
      zone: `${domain}. IN MX ${mx}.`,
    },
    // RFC 7208: only the hosts that take mail for the domain send it.
    txt(domain, 'v=spf1 mx -all', 'spf', true),
    ...keys.map(keyRecord),
    txt(`_dmarc.${domain}`, `v=DMARC1; p=none; rua=mailto:${dmarcName}@${domain}`, 'dmarc', true),
    txt(`_mta-sts.${domain}`, `v=STSv1; id=${day}`, 'mta-sts', false),
    txt(`_smtp._tls.${domain}`, `v=TLSRPTv1; rua=mailto:${tlsName}@${domain}`, 'tls-rpt', false),
  ]
}

function txt(name: string, value: string, purpose: WantedRecord['purpose'], needed: boolean): WantedRecord {
  const strings = (value.match(/.{1,255}/g) ?? ['']).map((part) => `"${part}"`)
  const text = strings.length === 1 ? strings[0]! : `( ${strings.join(' ')} )`
  return { name, type: 'TXT', value, zone: `${name}. IN TXT ${text}`, purpose, needed }
}
