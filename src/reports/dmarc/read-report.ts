/**
 * Reads an aggregate report: RFC 9990, or RFC 7489 appendix C, with or without a namespace. One record is held at a time;
 * those beyond the bound are counted. Elements of other namespaces are extensions and passed over, RFC 9990
 */
import { isIP } from 'node:net'
import type { ReportLimits } from '../../base/report-limits.ts'
import { BadReport } from '../bad-report.ts'
import { readXml, type XmlBounds, type XmlHandler, type XmlName } from '../xml/reader.ts'
import type { DmarcRecord, DmarcReport, PublishedPolicy, ReportMetadata } from './report.ts'

/** The deepest that RFC 9990 has is `reason/type` in a record: seven. Extensions may go some way further. */
const xmlBounds: XmlBounds = {
  depth: 20,
  elements: 5_000_000,
  attributes: 50,
  nameChars: 200,
  valueChars: 4_000,
}
/** Elements of one child of the root. */
const childElements = 2_000
/** What is kept of one text. */
const textChars = 1_000
/** RFC 9990 */
const signaturesMax = 100
const errorsMax = 20

interface Element {
  readonly local: string
  readonly children: Element[]
  text: string
}

/** @throws {BadReport} It is none. @throws {BadXml} */
export function readDmarcReport(
  document: string,
  limits: Pick<ReportLimits, 'receivedReportRows'>,
): DmarcReport {
  const collector = new Collector(limits.receivedReportRows)
  readXml(document, collector, xmlBounds)
  return collector.finish()
}

class Collector implements XmlHandler {
  readonly #rowsMax: number
  readonly #records: DmarcRecord[] = []
  /** From the child of the root inwards. */
  readonly #open: Element[] = []
  #namespace: string | null = null
  #metadata: ReportMetadata | null = null
  #policy: PublishedPolicy | null = null
  #leftOut = 0
  /** Levels inside an element that is passed over. */
  #passedOver = 0
  #elements = 0

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax
  }

  open(name: XmlName): void {
    if (this.#namespace === null) {
      if (name.local !== 'feedback')
        throw new BadReport(`The root is ${name.local.slice(0, 40)}, not feedback`)
      this.#namespace = name.namespace
    } else if (this.#passedOver > 0 || name.namespace !== this.#namespace) this.#passedOver++
    else {
      if (this.#open.length === 0) this.#elements = 0
      if (++this.#elements > childElements)
        throw new BadReport(`A record has more than ${childElements} elements`)
      const element: Element = { local: name.local, children: [], text: '' }
      this.#open.at(-1)?.children.push(element)
      this.#open.push(element)
    }
  }

  text(text: string): void {
    const element = this.#open.at(-1)
    if (element === undefined || this.#passedOver > 0 || element.text.length >= textChars) return
    element.text = (element.text + text.slice(0, 2 * textChars)).trimStart().slice(0, textChars)
  }

  close(): void {
    if (this.#passedOver > 0) this.#passedOver--
    else {
      const element = this.#open.pop()
      if (element !== undefined && this.#open.length === 0) this.#take(element)
    }
  }

  finish(): DmarcReport {
    if (this.#metadata === null) throw new BadReport('There is no report_metadata')
    if (this.#policy === null) throw new BadReport('There is no policy_published')
    const recordsLeftOut = this.#leftOut
    return { metadata: this.#metadata, policy: this.#policy, records: this.#records, recordsLeftOut }
  }

  /** A child of the root. Of those that stand once, the first counts. */
  #take(element: Element): void {
    if (element.local === 'report_metadata') this.#metadata ??= metadataOf(element)
    else if (element.local === 'policy_published') this.#policy ??= policyOf(element)
    else if (element.local === 'record') {
      const record = this.#records.length < this.#rowsMax ? recordOf(element) : null
      if (record === null) this.#leftOut++
      else this.#records.push(record)
    }
  }
}

function metadataOf(element: Element): ReportMetadata {
  const range = child(element, 'date_range')
  const begin = wholeNumber(range, 'begin')
  const end = wholeNumber(range, 'end')
  if (begin === null || end === null) throw new BadReport('Its date_range cannot be read')
  return {
    organisation: needed(element, 'org_name'),
    email: textOf(element, 'email') ?? '',
    extraContactInfo: textOf(element, 'extra_contact_info'),
    reportId: needed(element, 'report_id'),
    begin,
    end,
    errors: all(element, 'error').map(trimmed).slice(0, errorsMax),
    generator: textOf(element, 'generator'),
  }
}

function policyOf(element: Element): PublishedPolicy {
  return {
    domain: needed(element, 'domain').toLowerCase(),
    discoveryMethod: textOf(element, 'discovery_method'),
    p: textOf(element, 'p') ?? 'none',
    sp: textOf(element, 'sp'),
    np: textOf(element, 'np'),
    adkim: textOf(element, 'adkim'),
    aspf: textOf(element, 'aspf'),
    fo: textOf(element, 'fo'),
    testing: textOf(element, 'testing'),
    pct: textOf(element, 'pct'),
  }
}

/** Null: its row says nothing that could be counted. */
function recordOf(element: Element): DmarcRecord | null {
  const row = child(element, 'row')
  const evaluated = child(row, 'policy_evaluated')
  const identifiers = child(element, 'identifiers')
  const results = child(element, 'auth_results')
  const sourceAddress = textOf(row, 'source_ip') ?? ''
  const count = wholeNumber(row, 'count')
  if (isIP(sourceAddress) === 0 || count === null) return null
  return {
    sourceAddress,
    count,
    disposition: textOf(evaluated, 'disposition') ?? 'none',
    dkim: textOf(evaluated, 'dkim') ?? 'fail',
    spf: textOf(evaluated, 'spf') ?? 'fail',
    reasons: all(evaluated, 'reason')
      .slice(0, signaturesMax)
      .map((reason) => ({ type: textOf(reason, 'type') ?? 'other', comment: textOf(reason, 'comment') })),
    headerFrom: (textOf(identifiers, 'header_from') ?? '').toLowerCase(),
    envelopeFrom: given(identifiers, 'envelope_from'),
    envelopeTo: given(identifiers, 'envelope_to'),
    dkimResults: all(results, 'dkim')
      .slice(0, signaturesMax)
      .map((one) => ({ ...resultOf(one), selector: textOf(one, 'selector') })),
    spfResults: all(results, 'spf')
      .slice(0, signaturesMax)
      .map((one) => ({ ...resultOf(one), scope: textOf(one, 'scope') })),
  }
}

function resultOf(element: Element) {
  return {
    domain: (textOf(element, 'domain') ?? '').toLowerCase(),
    result: textOf(element, 'result') ?? 'none',
    humanResult: textOf(element, 'human_result'),
  }
}

function all(element: Element | undefined, local: string): Element[] {
  return element?.children.filter((one) => one.local === local) ?? []
}

function child(element: Element | undefined, local: string): Element | undefined {
  return element?.children.find((one) => one.local === local)
}

function trimmed({ text }: Element): string {
  return text.trim()
}

/** Null also for an empty one. */
function textOf(element: Element | undefined, local: string): string | null {
  return given(element, local) || null
}

/** '' for an empty one: RFC 9990 writes the null reverse-path so. */
function given(element: Element | undefined, local: string): string | null {
  const found = child(element, local)
  return found === undefined ? null : trimmed(found)
}

function needed(element: Element, local: string): string {
  const text = textOf(element, local)
  if (text === null) throw new BadReport(`${element.local} has no ${local}`)
  return text
}

function wholeNumber(element: Element | undefined, local: string): number | null {
  const text = textOf(element, local) ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : null
}
