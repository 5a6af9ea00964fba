import type { Clock } from '../base/clock.ts'

const recentLoginsMax = 10_000
const recentLoginMs = 5 * 60_000

/**
 * Proofs of log-ins that succeeded a short while ago, so that an agent that logs in every minute, or ten times at once,
 * costs one password hash. A proof is a keyed digest over account, hash row and password: a changed row has another.
 */
export class RecentLogins {
  readonly #clock: Clock
  /** Proof to the microsecond it ends; the least recently used first. */
  readonly #proofs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(proof: string): boolean {
    const endsUs = this.#proofs.get(proof)
    if (endsUs === undefined) return false
    this.#proofs.delete(proof)
    if (endsUs <= this.#clock.monotonicUs()) return false
    this.#proofs.set(proof, endsUs)
    return true
  }

  add(proof: string): void {
    this.#proofs.delete(proof)
    this.#proofs.set(proof, this.#clock.monotonicUs() + recentLoginMs * 1_000)
    if (this.#proofs.size <= recentLoginsMax) return
    for (const oldest of this.#proofs.keys()) {
      this.#proofs.delete(oldest)
      break
    }
  }
}
