/** Reports are about days of UTC: RFC 9990 and RFC 8460 both want whole ones. */

export const dayMs = 24 * 60 * 60_000

/** Milliseconds since 1970 at which the day began. */
export function dayOf(at: number): number {
  return Math.floor(at / dayMs) * dayMs
}
