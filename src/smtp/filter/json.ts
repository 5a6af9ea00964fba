/** Reads values out of JSON that others have written. */

/** What was read is not what was asked for. */
export class JsonFault extends Error {
  constructor(problem: string) {
    super(problem)
    this.name = 'JsonFault'
  }
}

export type JsonObject = Readonly<Record<string, unknown>>

/** @throws {JsonFault} */
export function parseObject(octets: Buffer): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(octets.toString('utf8'))
  } catch (error) {
    throw new JsonFault(`The answer is not JSON: ${(error as Error).message.slice(0, 100)}`)
  }
  return asObject(value, 'The answer')
}

export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new JsonFault(`${what} is not an object`)
  return value as JsonObject
}

export function optional<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === undefined || value === null ? null : read(value)
}

export function asString(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new JsonFault(`${what} is not a text`)
  return value
}

export function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new JsonFault(`${what} is not a list`)
  return value
}
