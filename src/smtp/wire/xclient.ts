import { isIPv4, isIPv6 } from 'node:net'
import { refuse } from './reply.ts'
import { decodeXtext } from './xtext.ts'

/** What a proxy tells of its client, as Postfix's XCLIENT; absent: not told. Null: the proxy does not know either. */
export interface XclientCommand {
  readonly address?: string | null
  readonly port?: number | null
  /** The host name of the address. */
  readonly name?: string | null
  /** What the client called itself. */
  readonly helo?: string | null
  readonly extended?: boolean | null
  /** Who has logged in at the proxy. */
  readonly login?: string | null
}

/** In the order in which EHLO announces them. */
export const xclientAttributes = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN'] as const

type Attribute = (typeof xclientAttributes)[number]

const unknown = new Set(['[UNAVAILABLE]', '[TEMPUNAVAIL]'])

/**
 * attribute=value *( SP attribute=value ), values in xtext.
 *
 * @throws {Refusal} 501.
 */
export function parseXclient(args: string): XclientCommand {
  const said: { -readonly [name in keyof XclientCommand]: XclientCommand[name] } = {}
  const seen = new Set<string>()
  for (const word of args.trim().split(/ +/)) {
    const [, name = '', value = ''] = /^([A-Za-z]+)=(.+)$/.exec(word) ?? []
    const attribute = name.toUpperCase() as Attribute
    const decoded = decodeXtext(value)
    if (decoded === null || seen.has(attribute) || !Object.hasOwn(readers, attribute))
      throw refuse(501, '5.5.4', 'Cannot read XCLIENT: expected attributes such as ADDR=192.0.2.1, each once')
    seen.add(attribute)
    if (/[\0-\x1f\x7f]/.test(decoded) || !readers[attribute](said, unknown.has(decoded) ? null : decoded))
      throw refuse(501, '5.5.4', `Cannot read XCLIENT: ${attribute} is none`)
  }
  return said
}

type Said = { -readonly [name in keyof XclientCommand]: XclientCommand[name] }

/** Each says whether it could make sense of the value. */
const readers: Readonly<Record<Attribute, (said: Said, value: string | null) => boolean>> = {
  NAME(said, value) {
    said.name = value
    return value === null || /^[\w.-]{1,255}$/.test(value)
  },
  ADDR(said, value) {
    const address = value?.replace(/^IPV6:/i, '') ?? null
    said.address = address
    return address === null || (value === address ? isIPv4(address) || isIPv6(address) : isIPv6(address))
  },
  PORT(said, value) {
    said.port = value === null ? null : Number(value)
    return value === null || (/^\d{1,5}$/.test(value) && Number(value) <= 65_535)
  },
  PROTO(said, value) {
    said.extended = value === null ? null : value.toUpperCase() === 'ESMTP'
    return value === null || /^E?SMTP$/i.test(value)
  },
  HELO(said, value) {
    said.helo = value
    return value === null || /^[\x21-\x7e]{1,255}$/.test(value)
  },
  LOGIN(said, value) {
    said.login = value
    return value === null || value.length <= 254
  },
}
