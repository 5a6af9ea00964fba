/** What a benchmark found, and how it is printed: each figure beside its goal of design/storage.md. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number }
  /** For each message, line or call that the figure counts. */
  readonly cpuUs?: number
  readonly note?: string
}

/** What a subject measures with. */
export interface Surrounding {
  /** Small sizes: a minute for everything. */
  readonly quick: boolean
  /** The prepared stores shall be made anew. */
  readonly anew: boolean
  readonly sizes: Sizes
  say(figure: Figure): void
}

export interface Sizes {
  /** Messages of the large mailbox, and of the very large one. */
  readonly mailbox: number
  readonly largeMailbox: number
  readonly growthAccounts: number
  readonly growthMessages: number
  /** Letters, or seconds where that is what counts. */
  readonly letters: number
  readonly seconds: number
}

export type Subject = (surrounding: Surrounding) => Promise<void>

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** @param share 0 to 1. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function isMet({ goal, value }: Figure): boolean | null {
  if (goal === undefined) return null
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost
}

export function header(): string {
  return row('', 'measured', '', 'goal', '', 'CPU µs', '')
}

export function describe(figure: Figure): string {
  const { name, value, unit, goal, cpuUs, note = '' } = figure
  const goalText =
    goal === undefined ? '' : 'atLeast' in goal ? `>= ${round(goal.atLeast)}` : `<= ${round(goal.atMost)}`
  const cpu = cpuUs === undefined ? '' : round(cpuUs)
  return row(name, round(value), unit, goalText, verdict(figure), cpu, note).trimEnd()
}

function verdict(figure: Figure): string {
  const { goal, value } = figure
  if (goal === undefined) return ''
  if (isMet(figure) === true) return 'met'
  const ratio = 'atLeast' in goal ? value / goal.atLeast : value / goal.atMost
  return `MISSED, ${ratio.toFixed(2)}x`
}

function row(
  name: string,
  value: string,
  unit: string,
  goal: string,
  met: string,
  cpu: string,
  note: string,
): string {
  const [left, right] = [name.padEnd(46), `${value.padStart(10)} ${unit.padEnd(8)}`]
  return `${left} ${right} ${goal.padStart(10)}  ${met.padEnd(14)} ${cpu.padStart(8)}  ${note}`
}

function round(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: 0, maximumFractionDigits: digits })
}
