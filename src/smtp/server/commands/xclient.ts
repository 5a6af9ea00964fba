import { refuse } from '../../wire/reply.ts'
import { parseXclient, type XclientCommand } from '../../wire/xclient.ts'
import type { Account } from '../../../store/accounts.ts'
import { normaliseAddress } from '../../../store/address.ts'
import type { Command, Session } from '../session.ts'

/** Of a client whom the proxy does not know: never the proxy's own, which may be trusted. */
const unknownAddress = '0.0.0.0'

/** A proxy that is listed says whose connection it passes on; the session then begins anew, with another greeting. */
export const xclient: Command = {
  verb: 'XCLIENT',
  phases: ['start', 'ready'],

  async run(session, args) {
    if (!session.mayVouch) throw refuse(550, '5.7.1', 'XCLIENT is not for you')
    const said = parseXclient(args)
    const account = await loginOf(session, said)
    const { peer } = session
    const refused = typeof said.address === 'string' ? peer.place?.moveTo(said.address) : null
    if (refused) throw refuse(421, '4.7.0', 'Too many connections from that address, try again later')
    session.beginAnew({
      remoteAddress: said.address === undefined ? peer.remoteAddress : (said.address ?? unknownAddress),
      remotePort: said.port ?? (said.address ? 0 : peer.remotePort),
      localAddress: peer.localAddress,
      localPort: peer.localPort,
    })
    session.vouched = { name: said.name ?? null, helo: said.helo ?? null }
    session.account = account
    return { reply: { code: 220, status: null, lines: [''] }, next: 'greet' }
  },
}

/** Who has logged in at the proxy counts as logged in where people log in. @throws {Refusal} */
async function loginOf({ account, options }: Session, { login }: XclientCommand): Promise<Account | null> {
  if (login === undefined) return account
  if (login === null || options.role !== 'submission') return null
  const address = normaliseAddress(login.includes('@') ? login : `${login}@${options.defaultDomain}`)
  const found = address === null ? null : await options.store.findAccount(address)
  if (found === null) throw refuse(501, '5.5.4', 'Cannot read XCLIENT: LOGIN is no account here')
  return found
}
