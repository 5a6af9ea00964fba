/** What Rspamd answers to `/checkv2`. */
import type { RspamdConfig } from '../../../base/filter-config.ts'
import { fieldText, isFieldName } from '../changed-message.ts'
import { asArray, asObject, asString, JsonFault, optional, parseObject } from '../json.ts'

/** Its actions as we know them, after our own thresholds. `greylist` is said when it has let the message pass. */
export type RspamdAction = 'pass' | 'junk' | 'subject' | 'later' | 'reject' | 'discard'

export interface RspamdAnswer {
  readonly action: RspamdAction
  /** In its own words. */
  readonly said: string
  readonly score: number
  readonly required: number
  /** What it found, without the scores. */
  readonly symbols: readonly string[]
  /** For the client; null: ours. */
  readonly text: string | null
  /** For the action `subject`. One char per octet. */
  readonly subject: string | null
  /** To stand above the message, with CRLF. */
  readonly fields: readonly string[]
  /** Name, and which one of it: 0 all, from 1 the n-th, below 0 the n-th from the end. */
  readonly remove: readonly (readonly [name: string, which: number])[]
}

const actions: ReadonlyMap<string, RspamdAction> = new Map(
  Object.entries({
    'no action': 'pass',
    // Greylisting itself is `soft reject`. This one says that the score is in its range: it comes again with each try.
    greylist: 'pass',
    'add header': 'junk',
    quarantine: 'junk',
    'rewrite subject': 'subject',
    'soft reject': 'later',
    reject: 'reject',
    discard: 'discard',
  } as const),
)

const symbolsMax = 50
const fieldsMax = 100

/** @throws {JsonFault} */
export function readRspamdAnswer(
  octets: Buffer,
  thresholds: Pick<RspamdConfig, 'rejectScore' | 'junkScore'>,
): RspamdAnswer {
  const answer = parseObject(octets)
  const said = asString(answer['action'], 'action')
  const score = asNumber(answer['score'], 'score')
  const milter = optional(answer['milter'], (value) => asObject(value, 'milter')) ?? {}
  const messages = optional(answer['messages'], (value) => asObject(value, 'messages')) ?? {}
  const added = Object.entries(
    optional(milter['add_headers'], (value) => asObject(value, 'add_headers')) ?? {},
  )
  const removed = Object.entries(
    optional(milter['remove_headers'], (value) => asObject(value, 'remove_headers')) ?? {},
  )
  const signatures = optional(answer['dkim-signature'], asList) ?? []
  const fields = [
    ...signatures.flatMap((value) => readField('DKIM-Signature', value)),
    ...added.flatMap(([name, value]) => asList(value).flatMap((one) => readField(name, one))),
  ]
  const symbols = optional(answer['symbols'], (value) => asObject(value, 'symbols')) ?? {}
  return {
    // Actions can be added by configuration; what we do not know is no reason to refuse.
    action: byOurThresholds(actions.get(said) ?? 'pass', score, thresholds),
    said,
    score,
    required: optional(answer['required_score'], (value) => asNumber(value, 'required_score')) ?? 0,
    symbols: Object.keys(symbols).slice(0, symbolsMax),
    text: optional(messages['smtp_message'], readText),
    subject: optional(answer['subject'], (value) => asOctets(asString(value, 'subject'))),
    fields: fields.slice(0, fieldsMax),
    remove: removed.slice(0, fieldsMax).map(([name, which]) => [name, asNumber(which, 'remove_headers')]),
  }
}

/** RFC 5321 §4.2: textstring is printable ASCII. @returns Null for what is no text. */
function readText(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, 400).replace(/[^\x20-\x7e]/g, '?') : null
}

/** A threshold of ours takes the place of its own for the same thing. */
function byOurThresholds(
  action: RspamdAction,
  score: number,
  { rejectScore, junkScore }: Pick<RspamdConfig, 'rejectScore' | 'junkScore'>,
): RspamdAction {
  if (action === 'later' || action === 'discard') return action
  if (rejectScore !== null && score >= rejectScore) return 'reject'
  const milder = rejectScore !== null && action === 'reject' ? 'junk' : action
  if (milder === 'reject' || junkScore === null) return milder
  if (score < junkScore) return 'pass'
  return milder === 'subject' ? 'subject' : 'junk'
}

/** A text, or `{ value, order }`. */
function readField(name: string, value: unknown): string[] {
  if (!isFieldName(name)) throw new JsonFault('add_headers names what is no header field')
  const text = typeof value === 'string' ? value : asObject(value, 'A field of add_headers')['value']
  return [fieldText(name, asOctets(asString(text, 'A field of add_headers')))]
}

function asOctets(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? asArray(value, '') : [value]
}

function asNumber(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new JsonFault(`${what} is not a number`)
  return value
}
