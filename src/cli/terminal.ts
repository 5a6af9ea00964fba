/** What the commands share in what they print: colours for people, columns, times. */
import { printableLine } from './agent/terminal.ts'

type Paint = (text: string) => string

/** Colours never say what the words do not. */
export interface Style {
  readonly bold: Paint
  readonly dim: Paint
  /** Names of stages and commands to type. */
  readonly brass: Paint
  readonly good: Paint
  readonly bad: Paint
  readonly client: Paint
  readonly server: Paint
}

const plain: Paint = (text) => text
const sgr =
  (code: number): Paint =>
  (text) =>
    `\x1b[${code}m${text}\x1b[0m`

export const noStyle: Style = {
  ...{ bold: plain, dim: plain, brass: plain, good: plain, bad: plain, client: plain, server: plain },
}
const colours: Style = {
  ...{ bold: sgr(1), dim: sgr(2), brass: sgr(33), good: sgr(32), bad: sgr(31) },
  ...{ client: sgr(36), server: sgr(35) },
}

/** Colours only for a terminal, and not with NO_COLOR (https://no-color.org). */
export function styleFor(
  stream: { readonly isTTY?: boolean },
  environment: NodeJS.ProcessEnv = process.env,
): Style {
  const unwanted = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb'
  return stream.isTTY === true && !unwanted ? colours : noStyle
}

/** Results: what a pipe is to get. */
export function print(text: string): void {
  process.stdout.write(text)
}

/** Progress and advice: what a pipe is not to get. */
export function note(text: string): void {
  process.stderr.write(text)
}

export function printJson(value: unknown): void {
  print(`${JSON.stringify(value)}\n`)
}

/** Rows as columns that line up, two spaces apart. Columns of numbers stand to the right; the last one is not padded. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  style: Style = noStyle,
): string {
  const cells = [headings, ...rows].map((row) => row.map((cell) => printableLine(String(cell))))
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const isNumber = headings.map((_, column) => rows.every((row) => typeof row[column] === 'number'))
  const lines = cells.map((row) => {
    const padded = row.map((cell, column) =>
      isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    )
    return padded.join('  ').trimEnd()
  })
  lines[0] = style.dim(lines[0]!)
  return `${lines.join('\n')}\n`
}

const minute = 60
const hour = 60 * minute
const day = 24 * hour

/** `in 5 min`, `2 h ago`. */
export function formatWhen(atMs: number, nowMs: number): string {
  const seconds = Math.round(Math.abs(atMs - nowMs) / 1_000)
  if (seconds === 0) return 'now'
  let text = `${seconds} s`
  if (seconds >= 2 * day) text = `${Math.round(seconds / day)} d`
  else if (seconds >= 2 * hour) text = `${Math.round(seconds / hour)} h`
  else if (seconds >= 2 * minute) text = `${Math.round(seconds / minute)} min`
  return atMs > nowMs ? `in ${text}` : `${text} ago`
}
