/**
 * Every call fails once: the n-th of all that change the disk, for n = 1, 2, 3 …, SQLite's own among them. Nothing that was
 * answered is lost, the store goes on by itself, and a start that failed succeeds the next time. FAULTS_ALL=1 leaves out none.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { temporaryFolder } from '../harness/temp.ts'
import { buildShim, Orders } from '../powercut/shim.ts'

const child = new URL('./faults-nth-child.ts', import.meta.url).pathname
/** Most calls are pages of one log; each run takes others of them. */
const step = process.env['FAULTS_ALL'] === '1' ? 1 : 29
const start = Number(process.env['FAULTS_START'] ?? 1 + Math.floor(Math.random() * step))

const ways = [
  ['ENOSPC', 'half', 1],
  ['EIO', 'whole', 1],
  ['ENOSPC', 'whole', 3],
] as const
for (const [error, how, times] of ways) {
  test(`after ${times} of ${error} (${how}) at any call, what was answered is there (FAULTS_START=${start})`, {
    timeout: 1_800_000,
  }, async (t) => {
    const folder = temporaryFolder(t)
    const shim = await buildShim(t, folder)
    if (shim === null) return
    // Two processes share the calls.
    const firsts = [start, start + step]
    const results = await Promise.all(
      firsts.map(async (first) => {
        const [data, orders] = [join(folder, `data${first}`), join(folder, `orders${first}`)]
        mkdirSync(data)
        new Orders(orders).close()
        const env = { ...process.env, LD_PRELOAD: shim, SHIM_FOLDER: data, SHIM_ORDERS: orders }
        const args = [child, data, orders, error, how, ...[times, first, step * 2].map(String)]
        const { stdout } = await promisify(execFile)(process.execPath, args, { env })
        return JSON.parse(stdout) as { cases: number; checks: number; problems: string[] }
      }),
    )
    const sum = (of: (one: (typeof results)[number]) => number) =>
      results.reduce((all, one) => all + of(one), 0)
    assert.deepEqual(
      results.flatMap(({ problems }) => problems),
      [],
    )
    assert.ok(sum(({ cases }) => cases) * step > 300)
    t.diagnostic(`${sum(({ cases }) => cases)} calls failed, ${sum(({ checks }) => checks)} checks`)
  })
}
