/**
 * Looks every few seconds whether the server can do its work, so that whoever asks gets an answer that is ready: no
 * question from outside makes the store or DNS work.
 */
import { statfs } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from '../../base/clock.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { OutgoingQueue } from '../../queue/wake.ts'
import type { Store } from '../../store/store.ts'

const everyMs = 10_000
/** How long the store or DNS may take to answer. */
const patienceMs = 5_000

export interface ProbeOptions {
  readonly store: Pick<Store, 'listQueue' | 'proveWrites'>
  readonly queue: Pick<OutgoingQueue, 'runs'>
  readonly resolver: Resolver
  readonly hostname: string
  readonly dataFolder: string
  readonly clock: Clock
  /** Asked anew each time. */
  diskReserveOctets(): number
}

/** What the last look found; null: not known. */
export interface Findings {
  /** What stands in the way, a name for machines and a sentence for people. */
  readonly reasons: Readonly<Record<string, string>>
  readonly queueOldestSeconds: number | null
  readonly diskFreeOctets: number | null
  readonly loopLagSeconds: number
}

export interface Probe {
  readonly findings: Findings
  /** Looks now. */
  look(): Promise<void>
  close(): void
}

export async function startProbe(options: ProbeOptions): Promise<Probe> {
  const lag = monitorEventLoopDelay({ resolution: 20 })
  lag.enable()
  let findings: Findings = {
    ...{ reasons: {}, queueOldestSeconds: null, diskFreeOctets: null },
    loopLagSeconds: 0,
  }
  let cancel = (): void => {}
  let closed = false

  async function look(): Promise<void> {
    const loopLagSeconds = lag.max / 1e9
    lag.reset()
    const found = await examine(options)
    findings = { ...found, loopLagSeconds }
  }

  function schedule(): void {
    cancel = options.clock.after(everyMs, () => {
      void look().finally(() => {
        if (!closed) schedule()
      })
    })
  }

  await look()
  schedule()
  return {
    get findings() {
      return findings
    },
    look,
    close() {
      closed = true
      cancel()
      lag.disable()
    },
  }
}

async function examine(options: ProbeOptions): Promise<Omit<Findings, 'loopLagSeconds'>> {
  const { store, resolver, hostname, dataFolder, clock } = options
  const reasons: Record<string, string> = {}
  const within = async <T>(work: Promise<T>, name: string, text: string): Promise<T | null> => {
    let cancel = (): void => {}
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(patienceMs, () => reject(new Error('took too long')))
    })
    try {
      return await Promise.race([work, late])
    } catch {
      reasons[name] = text
      return null
    } finally {
      cancel()
    }
  }
  const [oldest, disk] = await Promise.all([
    within(store.listQueue(1), 'store', 'the store does not answer'),
    within(statfs(dataFolder), 'disk', 'the disk of the data folder does not answer'),
    within(store.proveWrites(everyMs), 'write', 'the store cannot write'),
    // What it answers does not matter, nor that the name is not there.
    within(resolver.query(hostname, 'A'), 'dns', 'the name servers do not answer'),
  ])
  const diskFreeOctets = disk === null ? null : disk.bavail * disk.bsize
  if (diskFreeOctets !== null && diskFreeOctets < options.diskReserveOctets()) {
    reasons['disk'] = 'there is less room on the disk than limits.disk_reserve_octets'
  }
  if (!options.queue.runs) reasons['queue'] = 'the queue does not run'
  const since = oldest?.[0]?.createdAt
  return {
    reasons,
    queueOldestSeconds: since === undefined ? null : Math.max(0, clock.now() - since) / 1_000,
    diskFreeOctets,
  }
}
