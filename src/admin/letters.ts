/** Handing in a message: what the sendmail command asks for. The octets travel as text of one char each. */
import { Hono } from 'hono'
import { Refusal } from '../smtp/wire/reply.ts'
import { BadOrder, HandInDesk, type HandInOrder, type OrderProblem } from '../submission/hand-in-desk.ts'
import { AdminError, type AdminStatus } from './admin-error.ts'
import type { AdminOptions } from './admin-options.ts'
import { type Fields, readFields } from './input.ts'

export function letterRoutes({ handIn }: AdminOptions): Hono {
  const made = handIn === undefined ? null : new HandInDesk(handIn)
  const desk = (): HandInDesk => {
    if (made !== null) return made
    throw new AdminError(409, 'no-letters', 'Nothing can be handed in here', 'Ask a server.')
  }
  return new Hono()
    .post('/', (context) => translate(async () => context.json({ letterId: desk().open() }, 201)))
    .post('/:id/pieces', (context) =>
      translate(async () => {
        await desk().push(context.req.param('id'), Buffer.from(await context.req.text(), 'latin1'))
        return context.json({})
      }),
    )
    .post('/:id/finish', (context) =>
      translate(async () => {
        const order = readOrder(await readFields(context))
        const { accepted, ...handedIn } = await desk().finish(context.req.param('id'), order)
        const queueIds = accepted?.queueIds ?? []
        return context.json({ ...handedIn, filed: accepted?.filed.length ?? 0, queueIds }, 201)
      }),
    )
    .delete('/:id', (context) =>
      translate(async () => {
        desk().close(context.req.param('id'))
        return context.json({})
      }),
    )
}

const notifyPattern = /^(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2})$/i
/** RFC 3461 §4: xtext of at most 100 chars. */
const envidPattern = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2}){1,100}$/

function readOrder(fields: Fields): HandInOrder {
  const ret = readOptional(fields, 'ret', /^(?:FULL|HDRS)$/i)?.toUpperCase() ?? null
  return {
    sender: readOptional(fields, 'sender') ?? '',
    fullName: readOptional(fields, 'fullName'),
    recipients: readList(fields, 'recipients'),
    fromHeader: fields['fromHeader'] === true,
    notify: readOptional(fields, 'notify', notifyPattern)?.toUpperCase() ?? null,
    ret: ret === 'FULL' || ret === 'HDRS' ? ret : null,
    envid: readOptional(fields, 'envid', envidPattern),
    client: readOptional(fields, 'client') ?? 'admin',
  }
}

function readOptional(fields: Fields, name: string, pattern = /^[^\x00]{0,1000}$/su): string | null {
  const value = fields[name]
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && pattern.test(value)) return value
  throw new AdminError(400, 'bad-field', `${name} cannot be read`, 'Send it as documented, or leave it out.')
}

function readList(fields: Fields, name: string): string[] {
  const value = fields[name] ?? []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw new AdminError(400, 'bad-field', `${name} is no list`, `Send "${name}" as a list of texts.`)
}

const problems: Readonly<Record<OrderProblem, { readonly status: AdminStatus; readonly remedy: string }>> = {
  gone: { status: 404, remedy: 'Give the same command again.' },
  busy: { status: 503, remedy: 'Try again in a moment.' },
  'too-long': { status: 413, remedy: 'Send less, or raise submission_octets in [limits].' },
  'bad-sender': { status: 400, remedy: 'Write it as name@domain.example.' },
  'bad-recipient': { status: 400, remedy: 'Write it as name@domain.example.' },
  'no-recipients': { status: 400, remedy: 'Name somebody, or use -t for those of To, Cc and Bcc.' },
  'too-many': { status: 400, remedy: 'Send it in parts, or raise recipients in [limits].' },
}

async function translate(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof BadOrder) {
      const { status, remedy } = problems[error.problem]
      throw new AdminError(status, error.problem, error.message, remedy)
    }
    if (error instanceof Refusal) {
      const { lines } = error.reply
      throw new AdminError(400, 'bad-message', lines.join(' '), 'Mend the message: nothing was sent.')
    }
    throw error
  }
}
