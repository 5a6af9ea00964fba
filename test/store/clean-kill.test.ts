/** kill -9 while segments are rewritten: nothing that was acknowledged is lost. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open.ts'
import { testFolder } from './folder.ts'
import { killLetter, numberOf } from './kill-letter.ts'
import { segmentFiles, tearLastSegment } from './seal.ts'

const rounds = 12
const child = fileURLToPath(new URL('./clean-child.ts', import.meta.url))
const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }

test('what was acknowledged survives kill -9 in the midst of a pass', { timeout: 300_000 }, async (t) => {
  const folder = testFolder(t)
  const store = await openStore({ folder, limits: defaultLimits, surroundings })
  await store.addDomain('hamburger.example')
  const { accountId } = await store.addAccount('bob@hamburger.example', null)
  await store.close()
  const letters = new Map<number, number>()
  let rewritten = 0
  for (let round = 0; round < rounds; round++) {
    const text = await runAndKill(folder, 1 + round * 100_000, 300 + ((round * 157) % 900))
    for (const [, uid, number] of text.matchAll(/^(\d+) (\d+)$/gm)) letters.set(Number(uid), Number(number))
    for (const [, count] of text.matchAll(/^cleaned (\d+)$/gm)) rewritten += Number(count)
    const opened = await openStore({ folder, limits: defaultLimits, surroundings })
    const index = await opened.loadIndex(accountId, 1)
    for (const [uid, number] of letters) {
      const row = index.rowOf(uid)
      assert.ok(row >= 0, `letter ${number} is lost`)
      const [email] = await opened.getEmails(accountId, [index.emailIds[row]!])
      const octets = await opened.readBody(email!.body, 0, 1e6)
      assert.equal(numberOf(octets), number)
      assert.ok(killLetter(number).equals(octets), `letter ${number} is damaged`)
    }
    index.release()
    await opened.close()
    tearLastSegment(folder)
  }
  assert.ok(letters.size > rounds, `${letters.size} letters`)
  t.diagnostic(
    `${letters.size} letters, ${rewritten} segments rewritten, ${segmentFiles(folder).length} left`,
  )
})

async function runAndKill(folder: string, first: number, afterMs: number): Promise<string> {
  const running = spawn(process.execPath, [child, folder, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  running.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  while (!text.includes('open\n')) {
    assert.equal(running.exitCode, null, 'the store did not open')
    await wait(5)
  }
  await wait(afterMs)
  assert.equal(running.exitCode, null, 'it ended by itself')
  const gone = new Promise((resolve) => running.once('close', resolve))
  running.kill('SIGKILL')
  await gone
  // The last line may be cut.
  return text.slice(0, text.lastIndexOf('\n') + 1)
}
