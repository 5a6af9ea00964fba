/**
 * Writes an aggregate report, RFC 9990 and its schema (appendix A), in pieces small enough for a thread that serves
 * sockets. Elements stand in the order of the schema.
 */
import { escapeXml } from '../xml/write.ts'
import type { DmarcRecord, DmarcReport, PublishedPolicy, ReportMetadata } from './report.ts'

export const dmarcNamespace = 'urn:ietf:params:xml:ns:dmarc-2.0'

const recordsAtOnce = 50

export function* writeDmarcReport({ metadata, policy, records }: DmarcReport): Generator<string> {
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<feedback xmlns="${dmarcNamespace}">\n<version>1.0</version>\n` +
    metadataElement(metadata) +
    policyElement(policy)
  for (let at = 0; at < records.length; at += recordsAtOnce)
    yield records
      .slice(at, at + recordsAtOnce)
      .map(recordElement)
      .join('')
  yield '</feedback>\n'
}

function metadataElement(metadata: ReportMetadata): string {
  return wrap('report_metadata', [
    element('org_name', metadata.organisation),
    element('email', metadata.email),
    element('extra_contact_info', metadata.extraContactInfo),
    element('report_id', metadata.reportId),
    wrap('date_range', [element('begin', metadata.begin), element('end', metadata.end)]),
    ...metadata.errors.map((error) => element('error', error)),
    element('generator', metadata.generator),
  ])
}

function policyElement(policy: PublishedPolicy): string {
  return wrap('policy_published', [
    element('domain', policy.domain),
    element('discovery_method', policy.discoveryMethod),
    element('p', policy.p),
    element('sp', policy.sp),
    element('np', policy.np),
    element('fo', policy.fo),
    element('adkim', policy.adkim),
    element('aspf', policy.aspf),
    element('testing', policy.testing),
  ])
}

function recordElement(record: DmarcRecord): string {
  return wrap('record', [
    wrap('row', [
      element('source_ip', record.sourceAddress),
      element('count', record.count),
      wrap('policy_evaluated', [
        element('disposition', record.disposition),
        element('dkim', record.dkim),
        element('spf', record.spf),
        ...record.reasons.map(({ type, comment }) =>
          wrap('reason', [element('type', type), element('comment', comment)]),
        ),
      ]),
    ]),
    wrap('identifiers', [
      element('header_from', record.headerFrom),
      element('envelope_from', record.envelopeFrom),
      element('envelope_to', record.envelopeTo),
    ]),
    wrap('auth_results', [
      ...record.dkimResults.map(({ domain, selector, result, humanResult }) =>
        wrap('dkim', [
          element('domain', domain),
          element('selector', selector),
          element('result', result),
          element('human_result', humanResult),
        ]),
      ),
      ...record.spfResults.map(({ domain, scope, result, humanResult }) =>
        wrap('spf', [
          element('domain', domain),
          element('scope', scope),
          element('result', result),
          element('human_result', humanResult),
        ]),
      ),
    ]),
  ])
}

function wrap(name: string, children: readonly string[]): string {
  return `<${name}>\n${children.join('')}</${name}>\n`
}

/** '' for null: the element is left out. */
function element(name: string, value: string | number | null): string {
  return value === null ? '' : `<${name}>${escapeXml(String(value))}</${name}>\n`
}
