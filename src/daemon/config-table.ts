/** Reads one table of the configuration key by key; a wrong type or a key nobody asked for is an error with its place. */
import type { Endpoint } from '../base/config.ts'
import type { TomlPath, TomlPosition } from './toml-position.ts'
import { ConfigError } from './config-error.ts'
import { BadEndpoint, parseEndpoint } from './endpoint-text.ts'

/** The file that a table belongs to. */
export interface ConfigSource {
  readonly file: string
  place(path: TomlPath): TomlPosition
}

const examples = {
  string: '"text" in quotes',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}

export class ConfigTable {
  readonly #source: ConfigSource
  readonly #path: TomlPath
  readonly #values: Readonly<Record<string, unknown>>
  readonly #asked = new Set<string>()

  constructor(source: ConfigSource, path: TomlPath, values: Readonly<Record<string, unknown>>) {
    this.#source = source
    this.#path = path
    this.#values = values
  }

  get keys(): string[] {
    return Object.keys(this.#values)
  }

  /** As it stands in the brackets of the file. */
  get name(): string {
    return this.#path.filter((part) => typeof part === 'string').join('.')
  }

  has(key: string): boolean {
    return this.#values[key] !== undefined
  }

  error(path: TomlPath, problem: string, remedy: string): ConfigError {
    const whole = [...this.#path, ...path]
    return new ConfigError({ file: this.#source.file, ...this.#source.place(whole) }, problem, remedy)
  }

  /** An absent table reads as an empty one. */
  table(key: string): ConfigTable {
    const value = this.#take(key)
    if (value === undefined) return new ConfigTable(this.#source, [...this.#path, key], {})
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) {
      throw this.error(
        [key],
        `${this.#name(key)} is ${describe(value)}`,
        `Make it a table: a line [${this.#name(key)}].`,
      )
    }
    return new ConfigTable(this.#source, [...this.#path, key], value as Record<string, unknown>)
  }

  /** The table right below this one that has such a key: somebody wrote the line in the wrong place. */
  keyOfTableWith(key: string): string | null {
    for (const [name, value] of Object.entries(this.#values)) {
      if (typeof value === 'object' && value !== null && Object.hasOwn(value, key)) return name
    }
    return null
  }

  isText(key: string): boolean {
    return typeof this.#values[key] === 'string'
  }

  /** `[[key]]`, in order; none when there is no such table. */
  tables(key: string): ConfigTable[] {
    const value = this.#take(key)
    if (value === undefined) return []
    if (!Array.isArray(value) || value.some((one) => typeof one !== 'object' || Array.isArray(one))) {
      const name = this.#name(key)
      throw this.error([key], `${name} is not a list of tables`, `Write [[${name}]] in double brackets.`)
    }
    return value.map((one, index) => new ConfigTable(this.#source, [...this.#path, key, index], one))
  }

  string(key: string): string | null {
    const value = this.#take(key)
    if (value === undefined) return null
    if (typeof value !== 'string') throw this.#wrongType(key, value, 'string')
    if (value === '')
      throw this.error([key], `${this.#name(key)} is empty`, 'Give it a value, or leave the line out.')
    return value
  }

  boolean(key: string, absent: boolean): boolean {
    const value = this.#take(key)
    if (value === undefined) return absent
    if (typeof value !== 'boolean') throw this.#wrongType(key, value, 'boolean')
    return value
  }

  /** @param lowest The smallest value that makes sense; none is over 2^53. */
  integer(key: string, absent: number, lowest: number): number {
    const value = this.#take(key)
    if (value === undefined) return absent
    if (typeof value !== 'number' || !Number.isSafeInteger(value))
      throw this.#wrongType(key, value, 'integer')
    if (value < lowest) {
      const remedy = `Write ${lowest} or more; without the line it is ${absent}.`
      throw this.error([key], `${this.#name(key)} is ${value}, which is too little`, remedy)
    }
    return value
  }

  /** With or without a fraction. */
  number(key: string): number | null {
    const value = this.#take(key)
    if (value === undefined) return null
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#wrongType(key, value, 'number')
    return value
  }

  choice<T extends string>(key: string, choices: readonly T[], absent: T): T {
    const value = this.#take(key)
    if (value === undefined) return absent
    const found = choices.find((choice) => choice === value)
    if (found !== undefined) return found
    const remedy = `Write one of ${choices.map((choice) => `"${choice}"`).join(', ')}.`
    const written = typeof value === 'string' ? `"${value}"` : describe(value)
    throw this.error([key], `${this.#name(key)} is ${written}`, remedy)
  }

  strings(key: string): string[] | null {
    const value = this.#take(key)
    if (value === undefined) return null
    if (!Array.isArray(value)) {
      const written = typeof value === 'string' ? `["${value}"]` : '["…"]'
      throw this.error(
        [key],
        `${this.#name(key)} is ${describe(value)}`,
        `Make it a list: ${key} = ${written}.`,
      )
    }
    return value.map((item, index) => {
      if (typeof item === 'string') return item
      throw this.error(
        [key, index],
        `${this.#name(key)} holds ${describe(item)}`,
        `Write ${examples.string}.`,
      )
    })
  }

  endpoints(key: string, defaultPort: number | null = null): Endpoint[] | null {
    const texts = this.strings(key)
    return texts === null ? null : texts.map((text, index) => this.endpoint([key, index], text, defaultPort))
  }

  endpoint(path: TomlPath, text: string, defaultPort: number | null = null): Endpoint {
    try {
      return parseEndpoint(text, defaultPort)
    } catch (error) {
      if (!(error instanceof BadEndpoint)) throw error
      throw this.error(path, `Cannot read ${this.#name(String(path[0]))}: ${error.message}`, error.remedy)
    }
  }

  /** To be called when everything has been read. @throws {ConfigError} For a key that nobody asked for. */
  refuseOthers(): void {
    for (const key of this.keys) {
      if (this.#asked.has(key)) continue
      const near = nearest(key, [...this.#asked])
      const known = [...this.#asked].sort().join(', ')
      const remedy = near === null ? `Known here: ${known}.` : `Did you mean ${near}?`
      throw this.error([key], `Unknown key ${this.#name(key)}`, remedy)
    }
  }

  #take(key: string): unknown {
    this.#asked.add(key)
    return this.#values[key]
  }

  #name(key: string): string {
    return this.#path.length === 0 ? key : `${this.name}.${key}`
  }

  #wrongType(key: string, value: unknown, wanted: keyof typeof examples): ConfigError {
    return this.error([key], `${this.#name(key)} is ${describe(value)}`, `Write ${examples[wanted]}.`)
  }
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Date) return 'a date'
  if (typeof value === 'object') return 'a table'
  return typeof value === 'string' ? `the text "${value}"` : String(value)
}

/** The known word that needs the fewest changes, when that is few. */
export function nearest(word: string, known: readonly string[]): string | null {
  let best: string | null = null
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(word, candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
