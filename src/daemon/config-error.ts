/** A configuration that cannot be used: where in which file, what is wrong, and what to write instead. */
export class ConfigError extends Error {
  readonly file: string
  /** From 1; 0 when no place in the file is meant. */
  readonly line: number
  readonly column: number
  /** What is wrong, without the place. */
  readonly problem: string
  readonly remedy: string

  constructor(
    place: { file: string; line: number; column: number },
    problem: string,
    remedy: string,
    options?: ErrorOptions,
  ) {
    const where = place.line === 0 ? place.file : `${place.file}:${place.line}:${place.column}`
    super(`${where}: ${problem}`, options)
    this.name = 'ConfigError'
    this.file = place.file
    this.line = place.line
    this.column = place.column
    this.problem = problem
    this.remedy = remedy
  }
}
