/**
 * A sync of the tables that failed is not made up for by the next: the system may have given up what it was asked to write
 * and say nothing of it a second time. The store ends, and what begins anew trusts only what it has written itself.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startProcess } from '../harness/process.ts'
import { temporaryFolder } from '../harness/temp.ts'
import { buildShim, errno, failing, Orders } from '../powercut/shim.ts'
import { readTrace } from '../powercut/trace.ts'

const child = new URL('./faults-sync-child.ts', import.meta.url).pathname
const always = 1_000_000

async function prepare(t: TestContext) {
  const folder = temporaryFolder(t)
  const shim = await buildShim(t, folder)
  if (shim === null) return null
  const [data, log, ordersFile] = [join(folder, 'data'), join(folder, 'log'), join(folder, 'orders')]
  mkdirSync(data)
  const orders = new Orders(ordersFile)
  t.after(() => orders.close())
  const env = { LD_PRELOAD: shim, SHIM_FOLDER: data, SHIM_ORDERS: ordersFile }
  const start = async (more: Record<string, string> = {}) => {
    const running = startProcess(t, process.execPath, [child, data], { env: { ...env, ...more } })
    await running.line('open')
    return running
  }
  return { orders, data, log, start, mark: join(data, 'shard-00/log-not-synced') }
}

test('after a checkpoint that could not sync, nothing is synced again, and the next start writes the log anew', async (t) => {
  const world = await prepare(t)
  if (world === null) return
  const { orders, log, start, mark } = world
  const first = await start()
  for (const uid of [1, 2, 3]) {
    first.write('put\n')
    await first.line(`uid ${uid}`)
  }
  // After two seconds without work the log is brought back into the tables.
  orders.fail({ mask: failing.sync, error: errno.EIO, part: 'meta.db' })
  await first.line(/^failed a sync of the tables failed/)
  await first.ended
  assert.deepEqual(orders.counts(), { seen: 1, failed: 1 })
  assert.ok(existsSync(mark))
  orders.none()
  const second = await start({ SHIM_LOG: log })
  assert.ok(!existsSync(mark))
  second.write('list\n')
  await second.line('uids 1,2,3; Archive,Drafts,INBOX,Junk,Sent,Trash')
  second.write('put\n')
  await second.line('uid 4')
  second.signal('SIGKILL')
  await second.ended
  // Before SQLite read it, the log was there under another name, synced.
  const names = readTrace(readFileSync(log)).map(({ kind, data }) => `${kind} ${data.toString('latin1')}`)
  const renamed = names.findIndex((name) => /^rename .*meta\.db-wal\.new\0.*meta\.db-wal$/.test(name))
  assert.ok(renamed > 0)
  assert.ok(names.findIndex((name) => /^open .*meta\.db$/.test(name)) > renamed)
})

test('a change whose commit could not be synced is refused, and is not found at the next start either', async (t) => {
  const world = await prepare(t)
  if (world === null) return
  const { orders, start } = world
  const first = await start()
  first.write('put\n')
  await first.line('uid 1')
  orders.fail({ mask: failing.sync, error: errno.EIO, part: 'meta.db', times: always })
  first.write('box lists\n')
  await first.line('refused')
  await first.ended
  assert.equal(orders.counts().seen, 1)
  orders.none()
  const second = await start()
  second.write('list\n')
  await second.line('uids 1; Archive,Drafts,INBOX,Junk,Sent,Trash')
  second.write('box lists\n')
  await second.line('made')
})
