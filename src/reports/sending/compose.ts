/** The letters that carry reports: RFC 9990 and RFC 8460 */
import { formatAddress } from '../../message/address.ts'
import { formatDate } from '../../message/date.ts'
import { formatField } from '../../message/fields.ts'
import { encodeBase64 } from '../../message/transfer-encoding.ts'
import { type ReportIdentity, submitterOf } from './identity.ts'

export interface ComposedReport {
  readonly kind: 'dmarc' | 'tls'
  readonly identity: ReportIdentity
  readonly to: string
  /** What it is about, A-labels. */
  readonly domain: string
  /** RFC 9990: the same for each copy of it, and wherever it stands. ALPHA and DIGIT. */
  readonly reportId: string
  /** Milliseconds since 1970, the last one inclusive. */
  readonly begin: number
  readonly end: number
  /** Gzipped. */
  readonly content: Uint8Array
  readonly now: number
  /** With its angle brackets. */
  readonly messageId: string
}

const forms = {
  dmarc: {
    multipart: 'multipart/mixed',
    type: 'application/gzip',
    extension: 'xml.gz',
    text: 'This is a DMARC aggregate report (RFC 9990), made by a program.',
  },
  tls: {
    // RFC 8460
    multipart: 'multipart/report; report-type="tlsrpt"',
    type: 'application/tlsrpt+gzip',
    extension: 'json.gz',
    text: 'This is a report about TLS with your mail servers (RFC 8460), made by a program.',
  },
}

/** @returns Header and body, 7-bit, CRLF. */
export function composeReport(report: ComposedReport): Buffer {
  const { kind, identity, domain, reportId } = report
  const form = forms[kind]
  const submitter = submitterOf(identity)
  // Base64 has no dots and the text is ours: no line of it can be a delimiter.
  const boundary = `=_${reportId}.report`
  const name = fileName(report)
  const header = [
    formatField('Date', formatDate(report.now)),
    formatField('From', formatAddress({ name: identity.organisation, ...parted(identity.address) })),
    formatField('To', `<${report.to}>`),
    // RFC 9990 dmarc-subject; RFC 8460 has the same.
    formatField(
      'Subject',
      `Report Domain: ${domain} Submitter: ${submitter} Report-ID: ${idInSubject(report)}`,
    ),
    formatField('Message-ID', report.messageId),
    ...(kind === 'tls'
      ? [formatField('TLS-Report-Domain', domain), formatField('TLS-Report-Submitter', submitter)]
      : []),
    // RFC 3834 §5: no vacation notice may answer it.
    formatField('Auto-Submitted', 'auto-generated'),
    'MIME-Version: 1.0\r\n',
    `Content-Type: ${form.multipart};\r\n boundary="${boundary}"\r\n`,
  ]
  const text = `${form.text}\r\n\r\nDomain: ${domain}\r\nFrom ${iso(report.begin)} to ${iso(report.end)}, UTC.\r\n`
  const parts = [
    `Content-Type: text/plain; charset=us-ascii\r\n\r\n${text}`,
    `Content-Type: ${form.type};\r\n name="${name}"\r\nContent-Transfer-Encoding: base64\r\n` +
      `Content-Disposition: attachment;\r\n filename="${name}"\r\n\r\n${encodeBase64(report.content)}`,
  ]
  const body = parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')
  return Buffer.from(`${header.join('')}\r\n${body}--${boundary}--\r\n`, 'latin1')
}

/** receiver "!" policy-domain "!" begin "!" end "!" unique-id "." extension, RFC 9990; RFC 8460 */
export function fileName({ kind, identity, domain, begin, end, reportId }: ComposedReport): string {
  const seconds = [begin, end].map((at) => Math.floor(at / 1000))
  return `${[submitterOf(identity), domain, ...seconds, reportId].join('!')}.${forms[kind].extension}`
}

/** RFC 8460 wants it as a Message-ID; RFC 9990 lets both forms be. */
function idInSubject({ kind, reportId, identity }: ComposedReport): string {
  return kind === 'tls' ? `<${reportId}@${submitterOf(identity)}>` : reportId
}

function parted(address: string): { mailbox: string; host: string } {
  const at = address.lastIndexOf('@')
  return { mailbox: address.slice(0, at), host: address.slice(at + 1) }
}

function iso(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ')
}
