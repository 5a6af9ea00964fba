import { CliError, exitCodes } from './cli-error.ts'

const units: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3, w: 604_800e3 }

/** `90s`, `30m`, `12h`, `7d`, `2w`. @returns Milliseconds. @throws {CliError} */
export function parseDuration(text: string): number {
  const found = /^(\d{1,6})([smhdw])$/i.exec(text.trim())
  const ms = found === null ? Number.NaN : Number(found[1]) * units[found[2]!.toLowerCase()]!
  if (ms > 0) return ms
  throw new CliError(exitCodes.usage, `"${text}" is no time`, 'Write 30m, 12h, 7d or 2w.', { code: 'usage' })
}
