/** Reads a TLS report of somebody else, RFC 8460 Nothing is believed about its shape. */
import { BadReport } from '../bad-report.ts'
import type { TlsFailure, TlsPolicyReport, TlsReport } from './report.ts'

/** The format has six levels. */
const depthMax = 20
const policiesMax = 1_000
const stringsMax = 100
const textChars = 1_000

/** @param detailsMax Failure details of all policies that are kept. @throws {BadReport} */
export function readTlsReport(octets: Uint8Array, detailsMax: number): TlsReport {
  const report = asObject(parse(octets))
  if (report === null) throw new BadReport('It is no object of JSON')
  const range = asObject(report['date-range'])
  const begin = timeOf(range?.['start-datetime'])
  const end = timeOf(range?.['end-datetime'])
  if (begin === null || end === null) throw new BadReport('Its date-range cannot be read')
  const reportId = textOf(report['report-id'])
  if (reportId === null) throw new BadReport('It has no report-id')
  if (!Array.isArray(report['policies'])) throw new BadReport('It has no policies')
  const room = { details: detailsMax, leftOut: 0 }
  const policies = report['policies'].slice(0, policiesMax).map((policy) => policyOf(policy, room))
  if (policies.length === 0) throw new BadReport('It has no policies')
  return {
    organisation: textOf(report['organization-name']) ?? '',
    contact: textOf(report['contact-info']) ?? '',
    reportId,
    begin,
    end,
    policies,
    detailsLeftOut: room.leftOut,
  }
}

function parse(octets: Uint8Array): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch (error) {
    throw new BadReport('It is not UTF-8', { cause: error })
  }
  if (deeperThan(text, depthMax)) throw new BadReport(`It is nested deeper than ${depthMax}`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new BadReport('It is no JSON', { cause: error })
  }
}

/** Looked at before it is parsed: brackets outside of strings. No expression could do it in linear time and little room. */
function deeperThan(text: string, most: number): boolean {
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (quoted) {
      if (char === '\\') at++
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '[' || char === '{') {
      if (++depth > most) return true
    } else if (char === ']' || char === '}') depth--
  }
  return false
}

function policyOf(value: unknown, room: { details: number; leftOut: number }): TlsPolicyReport {
  const entry = asObject(value)
  const policy = asObject(entry?.['policy'])
  const domain = textOf(policy?.['policy-domain'])
  if (entry === null || domain === null) throw new BadReport('A policy has no policy-domain')
  const summary = asObject(entry['summary'])
  const details = Array.isArray(entry['failure-details']) ? entry['failure-details'] : []
  const kept = details.slice(0, room.details)
  room.details -= kept.length
  room.leftOut += details.length - kept.length
  return {
    type: textOf(policy?.['policy-type']) ?? 'no-policy-found',
    domain: domain.toLowerCase(),
    strings: textsOf(policy?.['policy-string']),
    mxHosts: textsOf(policy?.['mx-host']),
    succeeded: countOf(summary?.['total-successful-session-count']),
    failed: countOf(summary?.['total-failure-session-count']),
    failures: kept.map(failureOf),
  }
}

function failureOf(value: unknown): TlsFailure {
  const failure = asObject(value)
  const text = (name: string): string | null => textOf(failure?.[name])
  return {
    type: text('result-type') ?? 'validation-failure',
    count: countOf(failure?.['failed-session-count']),
    sendingAddress: text('sending-mta-ip'),
    mxHost: text('receiving-mx-hostname'),
    mxHelo: text('receiving-mx-helo'),
    receivingAddress: text('receiving-ip'),
    reason: text('failure-reason-code'),
    more: text('additional-information'),
  }
}

type JsonObject = { readonly [name: string]: unknown }

function asObject(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null
}

/** Null also for an empty one. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value.trim().slice(0, textChars) || null : null
}

/** Some write one text where the format has a list. */
function textsOf(value: unknown): string[] {
  const all = Array.isArray(value) ? value : [value]
  return all.slice(0, stringsMax).flatMap((one) => textOf(one) ?? [])
}

/** Some write numbers as text. */
function countOf(value: unknown): number {
  const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  return Number.isSafeInteger(count) && (count as number) >= 0 ? (count as number) : 0
}

function timeOf(value: unknown): number | null {
  const text = textOf(value)
  if (text === null || !/^\d{4}-\d\d-\d\d[Tt ]/.test(text)) return null
  const at = Date.parse(text.replace(' ', 'T'))
  return Number.isNaN(at) ? null : at
}
