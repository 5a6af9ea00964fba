/** Reads what a request carries; everything that is not as expected becomes a 400 with a remedy. */
import type { Context } from 'hono'
import { normaliseAddress, normaliseDomain } from '../store/address.ts'
import { AdminError } from './admin-error.ts'

export type Fields = Readonly<Record<string, unknown>>

/** The JSON object in the body. */
export async function readFields(context: Context): Promise<Fields> {
  let value: unknown
  try {
    value = await context.req.json()
  } catch {
    throw new AdminError(400, 'bad-json', 'The request is not JSON', 'Send one JSON object.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AdminError(400, 'bad-json', 'The request is not a JSON object', 'Send one JSON object.')
  }
  return value as Fields
}

export function readText(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value === 'string' && value !== '') return value
  throw new AdminError(400, 'bad-field', `${name} is missing or no text`, `Send "${name}" as a text.`)
}

export function readTexts(fields: Fields, name: string): string[] {
  const value = fields[name]
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string'))
    return value
  throw new AdminError(
    400,
    'bad-field',
    `${name} is missing or no list`,
    `Send "${name}" as a list of texts.`,
  )
}

export function readAddress(text: string): string {
  const address = normaliseAddress(text)
  if (address !== null) return address
  throw new AdminError(
    400,
    'bad-address',
    `"${text}" is not a mail address`,
    'Write it as name@domain.example.',
  )
}

export function readDomain(text: string): string {
  const domain = normaliseDomain(text)
  if (domain !== null) return domain
  throw new AdminError(400, 'bad-domain', `"${text}" is not a domain`, 'Write it as domain.example.')
}

/** A whole number from the query or the path. @param absent Its value when it is not there; undefined: it must be. */
export function readNumber(
  text: string | undefined,
  name: string,
  range: { readonly min: number; readonly max: number },
  absent?: number,
): number {
  if ((text === undefined || text === '') && absent !== undefined) return absent
  const value = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value >= range.min && value <= range.max) return value
  const remedy = `Write a whole number from ${range.min} to ${range.max}.`
  throw new AdminError(400, 'bad-number', `${name} "${text ?? ''}" is not a number that makes sense`, remedy)
}
