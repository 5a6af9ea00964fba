/** What the Lab's two scenes are made of: names, DNS zones, wording. */
import type { Zone } from '../dns/authority-answer.ts'
import type { ReplyTexts } from '../smtp/server/options.ts'
import { formatMailbox } from '../smtp/wire/path.ts'

export const sceneNames = ['today', 'lecture'] as const
/** `today`: EHLO, STARTTLS, trust. `lecture`: HELO, no TLS, the wording of the slide. */
export type Scene = (typeof sceneNames)[number]

export interface LabDomain {
  readonly domain: string
  readonly account: { readonly address: string; readonly password: string }
}

/** Alice's server and Bob's, in this order. */
export const labDomains: readonly [LabDomain, LabDomain] = [
  { domain: 'crepes.fr', account: { address: 'alice@crepes.fr', password: 'strawberry' } },
  { domain: 'hamburger.edu', account: { address: 'bob@hamburger.edu', password: 'hungry' } },
]

/** In the lecture a server has the name of its domain: `220 hamburger.edu`. */
export function hostnameOf(domain: string, scene: Scene): string {
  return scene === 'lecture' ? domain : `mail.${domain}`
}

/**
 * Everything the Lab's name server knows; any other name it refuses. Both hosts are this machine: the port map, not DNS,
 * tells them apart.
 *
 * @param keys TXT records by name, of the keys that sign.
 */
export function labZones(scene: Scene, keys: ReadonlyMap<string, string> = new Map()): Zone[] {
  const hosts = labDomains.map(({ domain }) => hostnameOf(domain, scene))
  return [
    ...labDomains.map(({ domain }) => zoneOf(domain, scene, keys)),
    // Asked for by DMARC's tree walk, RFC 9989: there are no records of those above.
    ...labDomains.map(({ domain }) => ({ origin: `_dmarc.${domain.split('.').at(-1)}`, records: {} })),
    { origin: '127.in-addr.arpa', records: { '1.0.0.127.in-addr.arpa': { PTR: hosts } } },
  ]
}

function zoneOf(domain: string, scene: Scene, keys: ReadonlyMap<string, string>): Zone {
  const own = Array.from(keys).filter(([name]) => name.endsWith(`._domainkey.${domain}`))
  const mail = `mail.${domain}`
  const exchange = hostnameOf(domain, scene)
  return {
    origin: domain,
    records: {
      [domain]: {
        MX: [{ preference: 10, exchange }],
        A: ['127.0.0.1'],
        // The doors are open on IPv4 only, so what takes mail has no AAAA.
        ...(exchange === domain ? {} : { AAAA: ['::1'] }),
        TXT: ['v=spf1 ip4:127.0.0.1 -all'],
      },
      [mail]: { A: ['127.0.0.1'], TXT: ['v=spf1 a -all'] },
      ...Object.fromEntries(own.map(([name, text]) => [name, { TXT: [text] }])),
      [`_dmarc.${domain}`]: { TXT: ['v=DMARC1; p=reject'] },
    },
  }
}

/** The server's side of the lecture's SMTP conversation, octet for octet. */
export const lectureReplies: ReplyTexts = {
  greeting: (hostname) => hostname,
  hello: (clientName) => `Hello ${clientName}, pleased to meet you`,
  sender: (reversePath) => `${reversePath === null ? '<>' : formatMailbox(reversePath)}... Sender ok`,
  // The slide has a space before these dots and none before the others.
  recipient: (forwardPath) => `${formatMailbox(forwardPath)} ... Recipient ok`,
  data: 'Enter mail, end with "." on a line by itself',
  accepted: 'Message accepted for delivery',
  closing: (hostname) => `${hostname} closing connection`,
}
