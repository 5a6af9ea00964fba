/** How quick and how busy the machine is while this runs: figures of another machine, or of a busy one, are told by it. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, quantile, type Surrounding } from './figure.ts'

export function loadAverage(): string {
  return readFileSync('/proc/loadavg', 'latin1').split(' ').slice(0, 3).join(' ')
}

/** Share of the last ten seconds in which somebody waited for a processor; null where the system does not say. */
function processorPressure(): string | null {
  try {
    return /some avg10=([\d.]+)/.exec(readFileSync('/proc/pressure/cpu', 'latin1'))?.[1] ?? null
  } catch {
    return null
  }
}

/** 4 KB written and synced, alone. The goals are for 0.2 ms. */
export function describeMachine({ say, quick }: Surrounding): void {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-bench-disk-'))
  try {
    const fd = openSync(join(folder, 'file'), 'w')
    const block = Buffer.alloc(4_096, 1)
    const times: number[] = []
    for (let n = 0; n < (quick ? 200 : 1_000); n++) {
      const begin = performance.now()
      writeSync(fd, block)
      fdatasyncSync(fd)
      times.push(performance.now() - begin)
    }
    closeSync(fd)
    const note = `p99 ${quantile(times, 0.99).toFixed(2)} ms; load ${loadAverage()} on ${availableParallelism()} cores, waited for ${processorPressure() ?? '?'} % of the time`
    say({ name: 'reference: write of 4 KB and fdatasync', value: median(times), unit: 'ms', note })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const runs = Array.from({ length: 5 }, timeOfLoop)
  const note = `quickest of 5; the slowest ${Math.max(...runs).toFixed(0)} ms`
  say({ name: 'reference: 30 million steps of a loop', value: Math.min(...runs), unit: 'ms', note })
}

function timeOfLoop(): number {
  const begin = performance.now()
  let sum = 0
  for (let n = 0; n < 3e7; n++) sum = (Math.imul(sum, 31) + n) | 0
  // Without a use of the sum the loop would be left out.
  return performance.now() - begin + (sum === 1 ? 1 : 0)
}
