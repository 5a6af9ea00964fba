import { LimitReached } from '../errors.ts'

/** Fields above a body; what makes them bounds each. */
const prefixOctetsMax = 16_384

/** @throws {LimitReached} */
export function checkPrefixes(above: readonly { readonly prefix: string }[]): void {
  for (const { prefix } of above) {
    if (prefix.length > prefixOctetsMax)
      throw new LimitReached(`a prefix has at most ${prefixOctetsMax} octets`)
  }
}
