/** No Soliciting, RFC 3865: classes of mail that this server does not want, and that honest senders name. */
import { headerValues } from '../../message/header.ts'
import type { MessageScan } from '../../message/scan.ts'
import { refuse } from '../wire/reply.ts'
import type { SmtpDoorOptions } from './options.ts'

/** Keywords of one header that are looked at. */
const keywordsMax = 100

/** What EHLO says, RFC 3865; null: everything is welcome. */
export function announceNoSoliciting({ role, noSolicitation }: SmtpDoorOptions): string | null {
  if (noSolicitation == null || role !== 'mx') return null
  return ['NO-SOLICITING', noSolicitation.join(',')].join(' ').trim()
}

/** Of MAIL. @throws {Refusal} 550 5.7.1 with the classes that matched, RFC 3865 §2.4. */
export function refuseSolicitation({ noSolicitation }: SmtpDoorOptions, keywords: readonly string[]): void {
  const unwanted = new Set(noSolicitation?.map((keyword) => keyword.toLowerCase()))
  const found = new Set(keywords.filter((keyword) => unwanted.has(keyword.toLowerCase())))
  if (found.size > 0) throw refuse(550, '5.7.1', `Not wanted here: SOLICIT=${[...found].join(',')}`)
}

/** Of the Solicitation field, RFC 3865 §2.6: a relay may not have known the parameter. @throws {Refusal} */
export function refuseSolicitingHeader(options: SmtpDoorOptions, scan: MessageScan): void {
  if (options.role !== 'mx' || (options.noSolicitation?.length ?? 0) === 0) return
  const keywords = headerValues(scan, 'Solicitation').flatMap((value) => value.split(','))
  refuseSolicitation(
    options,
    keywords.slice(0, keywordsMax).map((keyword) => keyword.trim()),
  )
}
