import { normaliseDomain } from '../../../store/address.ts'
import { refuse } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/**
 * ETRN = "ETRN" SP Node-name ; RFC 1985 §5
 *
 * A server that was away asks for its mail. Only addresses that are listed may: the mail goes to where it goes anyway, but
 * each asking costs connections. Only the name of a whole domain is known; `@` and `#` (§5.2, §5.3) are not.
 */
export const etrn: Command = {
  verb: 'ETRN',
  phases: ['ready'],
  idle: true,
  roles: ['mx'],

  async run({ options, peer }, args) {
    if (options.mayEtrn?.(peer.remoteAddress) !== true)
      throw refuse(459, '4.7.0', 'You are not allowed to ask for mail here')
    const domain = normaliseDomain(args.trim())
    if (domain === null) throw refuse(501, '5.5.4', 'Cannot read ETRN: expected a domain')
    const { store, clock } = options
    if ((await store.backupDomains.find(domain)) === null)
      throw refuse(459, '4.7.1', 'Mail for that domain is not kept here')
    const started = await store.retryNow(null, clock.now(), domain)
    if (started === 0) return { code: 251, status: '2.0.0', lines: [`No messages waiting for ${domain}`] }
    return { code: 253, status: '2.0.0', lines: [`${started} pending messages for ${domain} started`] }
  },
}
