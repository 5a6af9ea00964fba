/** Which of our addresses reports come to: those that our own records name, and the usual ones. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { reportNames } from '../../store/accounts.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { isDmarcRecord, tagOf } from '../dmarc/record.ts'
import { readReportUris } from '../report-uri.ts'

export interface AddressWorld {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly log: Log
  /** Ours, A-labels. */
  domains(): Promise<readonly string[]>
  /** Further addresses, normalised. */
  addresses(): readonly string[]
}

const freshMs = 6 * 60 * 60_000

export class ReportAddresses {
  readonly #world: AddressWorld
  #known: ReadonlySet<string>
  #freshUntil = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | null = null

  constructor(world: AddressWorld) {
    this.#world = world
    this.#known = new Set(world.addresses())
  }

  /** By what was last known. @param address As in RCPT. */
  has(address: string): boolean {
    return this.#known.has(address.toLowerCase())
  }

  /** Asks our own records when it has been long, or ever. Never rejects: who cannot be asked is asked again later. */
  async refresh(): Promise<void> {
    if (this.#world.clock.now() < this.#freshUntil) return
    this.#asking ??= this.#ask().finally(() => (this.#asking = null))
    await this.#asking
  }

  /** To be called when domains came or went. */
  stale(): void {
    this.#freshUntil = Number.NEGATIVE_INFINITY
  }

  async #ask(): Promise<void> {
    const { clock, log } = this.#world
    try {
      const domains = await this.#world.domains()
      const known = new Set(this.#world.addresses())
      for (const domain of domains) {
        for (const name of reportNames) known.add(`${name}@${domain}`)
        for (const rua of await this.#ruasOf(domain)) {
          for (const uri of readReportUris(rua))
            if (uri.kind === 'mailto' && domains.includes(uri.domain)) known.add(uri.address.toLowerCase())
        }
      }
      this.#known = known
    } catch (error) {
      log.warn('cannot find out which addresses reports come to', { error })
    }
    this.#freshUntil = clock.now() + freshMs
  }

  async #ruasOf(domain: string): Promise<string[]> {
    const ask = async (name: string): Promise<readonly string[]> => {
      try {
        return (await this.#world.resolver.query(name, 'TXT')).records
      } catch {
        // Names that DNS does not tell now are known by their usual form at least.
        return []
      }
    }
    const [dmarc, tls] = await Promise.all([ask(`_dmarc.${domain}`), ask(`_smtp._tls.${domain}`)])
    const records = [...dmarc.filter(isDmarcRecord), ...tls.filter((text) => text.startsWith('v=TLSRPTv1'))]
    return records.flatMap((record) => tagOf(record, 'rua') ?? [])
  }
}
