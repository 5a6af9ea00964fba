/** Ways for a test to have segments without writing 64 MB into each. */
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes the writer begin a new segment when the store is opened: one that is longer than its rows say was torn by a crash.
 * To be called while the store is closed.
 */
export function tearLastSegment(folder: string): void {
  const numbers = segmentFiles(folder)
    .filter((name) => name.startsWith('0-'))
    .map((name) => Number(name.slice(2, -4)))
  appendFileSync(join(folder, 'shard-00/seg', `0-${Math.max(...numbers)}.seg`), 'torn')
}

export function segmentFiles(folder: string): string[] {
  return readdirSync(join(folder, 'shard-00/seg')).sort()
}
