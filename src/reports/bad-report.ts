/** What arrived is no report, or not one that can be read; or it is beyond a bound. */
export class BadReport extends Error {
  constructor(text: string, options?: ErrorOptions) {
    super(`Cannot read the report: ${text}`, options)
    this.name = 'BadReport'
  }
}
