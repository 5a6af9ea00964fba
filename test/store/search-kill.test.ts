/** kill -9 while messages are indexed: afterwards every acknowledged message is found, and none is found that is not. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { IndexFor } from '../../src/base/config.ts'
import { indexed, searchWorld } from './search-world.ts'

const rounds = 8
const child = fileURLToPath(new URL('./search-child.ts', import.meta.url))

async function runAndKill(
  folder: string,
  first: number,
  forMs: number,
  indexFor: IndexFor,
): Promise<[number, number][]> {
  const running = spawn(process.execPath, [child, folder, String(first), indexFor], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  running.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  while (!text.includes('open\n')) await wait(5)
  await wait(forMs)
  const gone = new Promise((resolve) => running.once('close', resolve))
  running.kill('SIGKILL')
  await gone
  const lines = text.slice(text.indexOf('open\n') + 5).split('\n')
  // The last one may be cut.
  return lines.slice(0, -1).map((line) => line.split(' ').map(Number) as [number, number])
}

test('Everything is found after kill -9 in the midst of indexing', { timeout: 300_000 }, async (t) => {
  const world = await searchWorld(t)
  const letters = new Map<number, number>()
  for (let round = 0; round < rounds; round++) {
    await world.store.close()
    // In turn by itself, and by what those ask for who search.
    const indexFor = round % 2 === 0 ? 'searching' : 'everybody'
    const forMs = 400 + ((round * 173) % 900)
    const killed = await runAndKill(world.folder, 1 + round * 100_000, forMs, indexFor)
    await world.reopen()
    for (const [emailId, number] of killed) letters.set(emailId, number)
    const emailIds = Float64Array.from(letters.keys()).sort()
    const check = async (): Promise<void> => {
      for (const emailId of emailIds.filter((_, i) => i % Math.ceil(emailIds.length / 20) === 0)) {
        const needle = `${letters.get(emailId)}`
        const expected = [...emailIds].filter((id) => {
          const number = `${letters.get(id)}`
          return `word${number} key${number}0815`.includes(needle)
        })
        const criteria = [{ field: 'body', needle }] as const
        const found = await world.store.search(world.accountId, { emailIds, criteria })
        assert.deepEqual(
          [...found].map((place) => emailIds[place]),
          expected,
          needle,
        )
      }
    }
    await check()
    await indexed(world.store)
    await check()
  }
  assert.deepEqual(
    world.warnings.filter((text) => text.startsWith('search')),
    [],
  )
  t.diagnostic(`${letters.size} messages, killed ${rounds} times`)
})
