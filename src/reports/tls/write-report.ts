import type { TlsFailure, TlsPolicyReport, TlsReport } from './report.ts'

/** The JSON of RFC 8460 What we write is small: failures have a bound for each policy. */
export function writeTlsReport(report: TlsReport): string {
  return JSON.stringify({
    'organization-name': report.organisation,
    // RFC 3339; the whole seconds that people expect there.
    'date-range': { 'start-datetime': time(report.begin), 'end-datetime': time(report.end) },
    'contact-info': report.contact,
    'report-id': report.reportId,
    policies: report.policies.map(policyOf),
  })
}

function policyOf(policy: TlsPolicyReport): object {
  return {
    policy: {
      'policy-type': policy.type,
      ...(policy.strings.length === 0 ? {} : { 'policy-string': policy.strings }),
      'policy-domain': policy.domain,
      ...(policy.mxHosts.length === 0 ? {} : { 'mx-host': policy.mxHosts }),
    },
    summary: {
      'total-successful-session-count': policy.succeeded,
      'total-failure-session-count': policy.failed,
    },
    ...(policy.failures.length === 0 ? {} : { 'failure-details': policy.failures.map(failureOf) }),
  }
}

function failureOf(failure: TlsFailure): object {
  return {
    'result-type': failure.type,
    ...given('sending-mta-ip', failure.sendingAddress),
    ...given('receiving-mx-hostname', failure.mxHost),
    ...given('receiving-mx-helo', failure.mxHelo),
    ...given('receiving-ip', failure.receivingAddress),
    'failed-session-count': failure.count,
    ...given('additional-information', failure.more),
    ...given('failure-reason-code', failure.reason),
  }
}

function given(name: string, value: string | null): object {
  return value === null ? {} : { [name]: value }
}

function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}
