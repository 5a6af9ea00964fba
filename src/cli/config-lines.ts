/** What a configuration means, a line for each thing that is asked for, in the words of docs/operating.md. */
import type { Config, Endpoint } from '../base/config.ts'

export function configLines(config: Config): string[] {
  const lines: (readonly [what: string, meaning: string])[] = [
    ['calls itself', config.hostname],
    ['keeps mail in', config.data],
    ...(config.process.user === null ? [] : [['becomes', config.process.user] as const]),
    ...Object.entries({ ...config.listen, ...config.health })
      .filter(([, endpoints]) => endpoints.length > 0)
      .map(([door, endpoints]) => [door, endpoints.map(place).join(', ')] as const),
    ...certificates(config.tls),
    [
      'passwords',
      config.auth.plaintext === 'never' ? 'over TLS only' : 'over TLS, and in the clear from this machine',
    ],
    ['name servers', config.dns.servers?.map(place).join(', ') ?? 'those of the system'],
    ...Array.from(
      config.routes,
      ([domain, hop]) => ['route', `${domain} to ${hop === 'discard' ? 'nowhere' : place(hop)}`] as const,
    ),
    ['senders', checks(config.checks)],
    ...guards(config.guards),
    ...filters(config.filters),
    ['reports', reports(config.reports)],
  ]
  return lines.map(([what, meaning]) => `  ${what.padEnd(14)}  ${meaning}`)
}

function place({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function certificates({ certificates, clientCa }: Config['tls']): [string, string][] {
  const lines = certificates.map(({ certificate }): [string, string] => ['certificate', certificate])
  if (lines.length === 0) {
    lines.push(['certificate', 'made by itself: other servers will not trust it, but encrypt'])
  }
  return clientCa === null ? lines : [...lines, ['people’s CA', clientCa]]
}

function checks({ spf, dkim, dmarc }: Config['checks']): string {
  const looks = [
    ...(spf === 'off' ? [] : [spf === 'refuse' ? 'SPF (a fail is refused)' : 'SPF']),
    ...(dkim ? ['DKIM and ARC'] : []),
    ...(dmarc === 'off' ? [] : [dmarc === 'enforce' ? 'DMARC (its policy is done)' : 'DMARC']),
  ]
  return looks.length === 0 ? 'not judged' : `judged by ${looks.join(', ')}`
}

function guards({
  greylist,
  senderDomain,
  blocklists,
  banned,
  trusted,
  proxies,
  xclient,
  sizes,
}: Config['guards']) {
  const lists: [string, readonly string[]][] = [
    ['trusted', trusted],
    ['banned', banned],
    ['proxies', proxies],
    ['xclient from', xclient],
  ]
  return [
    ...(greylist ? [['greylisting', 'on'] as const] : []),
    ...(senderDomain ? [['sender domain', 'has to take mail'] as const] : []),
    ...blocklists.map(({ zone, action, weight }) => {
      const does = action === 'weigh' ? `weighs ${weight}` : action === 'junk' ? 'files into Junk' : 'refuses'
      return ['blocklist', `${zone} ${does}`] as const
    }),
    ...lists
      .filter(([, addresses]) => addresses.length > 0)
      .map(([what, addresses]) => [what, addresses.join(', ')] as const),
    ...Array.from(sizes, ([domain, octets]) => ['size', `${domain} takes ${octets} octets`] as const),
  ]
}

function filters({ milters, rspamd, clamav, hooks }: Config['filters']) {
  const asked = [
    ...milters.map((milter) => ['milter', milter] as const),
    ...(rspamd === null ? [] : [['rspamd', rspamd] as const]),
    ...(clamav === null ? [] : [['clamav', clamav] as const]),
    ...hooks.map((hook) => ['hook', hook] as const),
  ]
  return asked.map(([kind, { name, doors, onFailure }]) => {
    const failing = onFailure === 'accept' ? 'passed over when it fails' : '451 when it fails'
    return [kind, `${name}, for ${doors.join(', ')}; ${failing}`] as const
  })
}

function reports({ dmarc, tls }: Config['reports']): string {
  const sent = [...(dmarc ? ['DMARC'] : []), ...(tls ? ['TLS'] : [])]
  return sent.length === 0 ? 'none are sent' : `${sent.join(' and ')}, sent to the domains that ask for them`
}
