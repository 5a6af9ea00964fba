/** What a hook answers; docs/hooks.md shows the shapes. */
import type { HookStage } from '../../../base/filter-config.ts'
import { Refusal, refuse } from '../../wire/reply.ts'
import { fieldText, isFieldName } from '../changed-message.ts'
import type { FilterEnding } from '../filter.ts'
import { isPath } from '../path.ts'
import { asArray, asObject, asString, JsonFault, type JsonObject, optional, parseObject } from '../json.ts'

const actions = ['accept', 'reject', 'tempfail', 'discard', 'junk', 'quarantine'] as const
export type HookAction = (typeof actions)[number]

export interface HookAnswer {
  readonly action: HookAction
  /** With what the action is, and what is to be changed. */
  readonly ending: FilterEnding
}

/** Lines of a reply that is told to strangers, and their octets. */
const replyLines = 10
const replyLineOctets = 400
const changesMax = 1_000

/**
 * @param octets Empty means `accept`.
 * @throws {JsonFault} It is no such answer, or not for this stage.
 */
export function readHookAnswer(octets: Buffer, stage: HookStage): HookAnswer {
  if (octets.length === 0) return { action: 'accept', ending: {} }
  const answer = parseObject(octets)
  const word = optional(answer['action'], (value) => asString(value, 'action')) ?? 'accept'
  const action = actions.find((one) => one === word)
  if (action === undefined) throw new JsonFault(`action is "${word.slice(0, 40)}"`)
  if (action === 'reject' || action === 'tempfail')
    return { action, ending: { refusal: refusal(action, answer) } }
  const ending = { ...verdict(action, answer), ...changes(answer) }
  if (stage !== 'message' && Object.keys(ending).length > 0)
    throw new JsonFault(
      `${action === 'accept' ? 'A change' : action} at the stage ${stage}; only "message" can do that`,
    )
  return { action, ending }
}

function verdict(action: HookAction, answer: JsonObject): FilterEnding {
  if (action === 'discard') return { discard: true }
  if (action !== 'junk' && action !== 'quarantine') return {}
  return { junk: optional(answer['text'], (value) => asString(value, 'text')) ?? 'The hook says so' }
}

/** RFC 5321 §4.2: what is to be tried again begins with 4, what is not with 5. */
function refusal(action: 'reject' | 'tempfail', answer: JsonObject): Refusal {
  const digit = action === 'reject' ? 5 : 4
  const code = answer['code'] ?? (action === 'reject' ? 550 : 451)
  const fits = typeof code === 'number' && Number.isInteger(code) && Math.floor(code / 100) === digit
  if (!fits) throw new JsonFault(`code does not fit ${action}: it must be ${digit}00 to ${digit}99`)
  const status = optional(answer['status'], (value) => asString(value, 'status')) ?? `${digit}.7.1`
  if (!new RegExp(`^${digit}\\.\\d{1,3}\\.\\d{1,3}$`).test(status))
    throw new JsonFault(`status does not fit ${action}: it must look like ${digit}.7.1`)
  const text = optional(answer['text'], (value) => asString(value, 'text'))
  if (text === null) return refuse(code, status, action === 'reject' ? 'Message refused' : 'Try again later')
  // RFC 5321 §4.2: textstring is printable ASCII.
  const lines = text
    .split(/\r\n|\r|\n/, replyLines)
    .map((line) => line.slice(0, replyLineOctets).replace(/[^\x20-\x7e]/g, '?'))
  return new Refusal({ code, status, lines })
}

function changes(answer: JsonObject): FilterEnding {
  const fields = optional(answer['addHeaders'], readFields) ?? []
  const wanted = optional(answer['modifications'], (value) => asObject(value, 'modifications')) ?? {}
  const reversePath = optional(wanted['reversePath'], (value) => readPath(value, 'modifications.reversePath'))
  const add = optional(wanted['addRecipients'], (value) => readPaths(value, 'addRecipients')) ?? []
  const remove = optional(wanted['removeRecipients'], (value) => readPaths(value, 'removeRecipients')) ?? []
  const message = optional(wanted['message'], (value) => asString(value, 'modifications.message'))
  return {
    ...(fields.length === 0 ? {} : { fields }),
    ...(reversePath === null ? {} : { reversePath }),
    ...(add.length === 0 ? {} : { addRecipients: add }),
    ...(remove.length === 0 ? {} : { removeRecipients: remove }),
    ...(message === null ? {} : { message: Buffer.from(message, 'base64') }),
  }
}

function readFields(value: unknown): string[] {
  return bounded(asArray(value, 'addHeaders'), 'addHeaders').map((one) => {
    const field = asObject(one, 'An element of addHeaders')
    const name = asString(field['name'], 'addHeaders.name')
    if (!isFieldName(name)) throw new JsonFault('addHeaders.name is not the name of a header field')
    const text = asString(field['value'], 'addHeaders.value')
    // One char per octet: what is not ASCII goes out as UTF-8, RFC 6532 §3.2.
    return fieldText(name, Buffer.from(text, 'utf8').toString('latin1'))
  })
}

function readPaths(value: unknown, name: string): string[] {
  return bounded(asArray(value, name), name).map((path) => readPath(path, `An element of ${name}`))
}

function readPath(value: unknown, what: string): string {
  const path = asString(value, what)
  if (!isPath(path)) throw new JsonFault(`${what} is not an address`)
  return path
}

function bounded(list: readonly unknown[], name: string): readonly unknown[] {
  if (list.length > changesMax) throw new JsonFault(`${name} has more than ${changesMax} elements`)
  return list
}
