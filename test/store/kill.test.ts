/** Promises 1 and 2: what was acknowledged survives kill -9, once and intact, and UIDs only grow. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { testFolder } from './folder.ts'
import { killLetter, numberOf } from './kill-letter.ts'

const rounds = 20
const child = fileURLToPath(new URL('./kill-child.ts', import.meta.url))

interface Ack {
  readonly accountId: number
  readonly uid: number
  readonly modseq: number
  readonly number: number
  readonly queueIds: readonly number[]
}

const open = (folder: string): Promise<Store> =>
  openStore({
    ...{ folder, limits: defaultLimits },
    surroundings: { clock: systemClock, random: systemRandom, log: silentLog },
  })

test('what was acknowledged survives kill -9, once and intact', { timeout: 300_000 }, async (t) => {
  const folder = testFolder(t)
  const store = await open(folder)
  await store.addDomain('hamburger.example')
  for (let i = 0; i < 5; i++) await store.addAccount(`a${i}@hamburger.example`, null)
  await store.close()
  const acks: Ack[] = []
  const highest = new Map<number, { uid: number; modseq: number }>()
  const checked = new Set<string>()
  for (let round = 0; round < rounds; round++) {
    const fresh = await runAndKill(folder, 1 + round * 100_000, round)
    for (const ack of fresh) {
      const before = highest.get(ack.accountId) ?? { uid: 0, modseq: 0 }
      assert.ok(ack.uid > before.uid && ack.modseq > before.modseq, 'UIDs and MODSEQs only grow')
    }
    for (const ack of fresh) {
      const before = highest.get(ack.accountId) ?? { uid: 0, modseq: 0 }
      highest.set(ack.accountId, {
        uid: Math.max(before.uid, ack.uid),
        modseq: Math.max(before.modseq, ack.modseq),
      })
    }
    acks.push(...fresh)
    // Killed while it opens, too: what the kill before left is still being put right.
    if (round % 4 === 3) await killWhileOpening(folder, 900_000_000 + round * 1_000_000)
    const opened = await open(folder)
    await check(opened, round === rounds - 1 ? acks : fresh, checked)
    await opened.close()
  }
  assert.ok(acks.length > rounds, `${acks.length} acknowledged`)
  t.diagnostic(`${acks.length} acknowledged, none lost`)
})

async function runAndKill(folder: string, first: number, round: number): Promise<Ack[]> {
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
  await wait(50 + ((round * 73) % 400))
  await kill(running)
  const lines = text.slice(text.indexOf('open\n') + 5).split('\n')
  // The last one may be cut.
  return lines.slice(0, -1).map((line) => {
    const [accountId, uid, modseq, number, queueIds] = line.split(' ')
    return {
      ...{ accountId: Number(accountId), uid: Number(uid), modseq: Number(modseq), number: Number(number) },
      queueIds: queueIds === '' ? [] : queueIds!.split(',').map(Number),
    }
  })
}

async function killWhileOpening(folder: string, first: number): Promise<void> {
  for (const delayMs of [60, 120, 180]) {
    const running = spawn(process.execPath, [child, folder, String(first + delayMs * 1_000)], {
      stdio: 'ignore',
    })
    await wait(delayMs)
    await kill(running)
  }
}

async function kill(running: ChildProcess): Promise<void> {
  assert.deepEqual([running.exitCode, running.signalCode], [null, null], 'it ended by itself')
  const gone = new Promise((resolve) => running.once('close', resolve))
  running.kill('SIGKILL')
  await gone
}

async function check(store: Store, acks: readonly Ack[], checked: Set<string>): Promise<void> {
  const rows = await store.listQueue(1_000_000)
  for (const row of rows) assert.equal(row.leasedUntil, null, 'a lease outlived its holder')
  const queued = new Set(rows.map(({ queueId }) => queueId))
  for (const { accountId } of await store.listAccounts()) {
    const index = await store.loadIndex(accountId, 1)
    const uids = [...index.uids.subarray(0, index.length)]
    assert.ok(uids.every((uid, i) => i === 0 || uid > uids[i - 1]!))
    assert.ok(index.length === 0 || index.uidNext > uids.at(-1)!)
    const mailbox = (await store.findMailbox(accountId, 'INBOX'))!
    assert.equal(mailbox.total, index.length)
    const byUid = new Map(acks.filter((ack) => ack.accountId === accountId).map((ack) => [ack.uid, ack]))
    for (const [uid, ack] of byUid) {
      assert.ok(index.rowOf(uid) >= 0, `letter ${ack.number} was acknowledged and is not there`)
      for (const queueId of ack.queueIds) assert.ok(queued.has(queueId), `queue row ${queueId} is lost`)
    }
    const numbers = new Set<number>()
    for (let row = 0; row < index.length; row++) {
      const key = `${accountId}:${uids[row]}`
      if (checked.has(key) && !byUid.has(uids[row]!)) continue
      checked.add(key)
      const [email] = await store.getEmails(accountId, [index.emailIds[row]!])
      const octets = await store.readBody(email!.body, 0, 1e6)
      const number = numberOf(octets)
      assert.ok(killLetter(number).equals(octets), `letter ${number} is damaged`)
      assert.ok(!numbers.has(number), `letter ${number} is there twice`)
      numbers.add(number)
      const ack = byUid.get(uids[row]!)
      assert.ok(ack === undefined || ack.number === number, 'another letter has this UID')
    }
    index.release()
  }
}
