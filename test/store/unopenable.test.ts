/** A folder whose parts are not of one moment is not opened, and loses nothing; who opens it is told what to do. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { serialize } from 'node:v8'
import { crc32 } from 'node:zlib'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { type Log, silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { StoreUnopenable } from '../../src/store/errors.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { testFolder } from './folder.ts'
import { letter, put } from './letters.ts'

const warnings: string[] = []
const log: Log = { ...silentLog, warn: (text) => warnings.push(text) }
const surroundings = { clock: systemClock, random: systemRandom, log }
const tables = 'shard-00/meta.db'

async function open(folder: string): Promise<Store> {
  return openStore({ folder, limits: defaultLimits, surroundings })
}

/** A stopped store with one letter. */
async function begin(t: TestContext): Promise<string> {
  const folder = testFolder(t)
  await use(folder, async (store) => {
    await store.addDomain('hamburger.example')
    await store.addAccount('bob@hamburger.example', null)
    await put(store, 1, {}, letter('first'))
  })
  return folder
}

async function use<Result>(folder: string, work: (store: Store) => Promise<Result>): Promise<Result> {
  const store = await open(folder)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** The subjects of Bob's letters. */
function subjects(folder: string): Promise<string[]> {
  return use(folder, async (store) => {
    const index = await store.loadIndex(1, 1)
    const emails = await store.getEmails(1, [...index.emailIds.subarray(0, index.length)])
    index.release()
    const bodies = await Promise.all(emails.map((email) => store.readBody(email!.body, 0, 1_000)))
    return bodies.map((body) => /Subject: (.*)\r/.exec(String(Buffer.from(body)))![1]!)
  })
}

async function refusal(folder: string): Promise<StoreUnopenable> {
  const before = contents(folder)
  const error: unknown = await open(folder).then(
    (store) => store.close(),
    (cause: unknown) => cause,
  )
  assert.ok(error instanceof StoreUnopenable, String(error))
  assert.deepEqual(contents(folder), before)
  return error
}

function contents(folder: string): unknown[] {
  const seg = join(folder, 'shard-00/seg')
  return readdirSync(seg).map((name) => [name, readFileSync(join(seg, name)).toString('base64')])
}

test('older tables beside newer messages: what is recorded is done again, when that is all', async (t) => {
  const folder = await begin(t)
  const older = readFileSync(join(folder, tables))
  await use(folder, async (store) => {
    for (const subject of ['second', 'third']) await put(store, 1, {}, letter(subject))
  })
  writeFileSync(join(folder, tables), older)
  assert.deepEqual(await subjects(folder), ['first', 'second', 'third'])
})

test('older tables that lack what no record holds are refused, not filled with half of it', async (t) => {
  const folder = await begin(t)
  const older = readFileSync(join(folder, tables))
  await use(folder, async (store) => {
    await store.createMailbox(1, 'lists')
    await put(store, 1, {}, letter('second'))
  })
  const newer = readFileSync(join(folder, tables))
  writeFileSync(join(folder, tables), older)
  assert.match((await refusal(folder)).message, /does not know of changes that were made later/)
  writeFileSync(join(folder, tables), newer)
  assert.deepEqual(await subjects(folder), ['first', 'second'])
})

test('so are those whose segment has been written anew since', async (t) => {
  const folder = await begin(t)
  const older = readFileSync(join(folder, tables))
  await use(folder, (store) => put(store, 1, {}, letter('second')))
  // As the housekeeping leaves it: what the old tables name is gone, a later segment goes on.
  const seg = join(folder, 'shard-00/seg')
  writeFileSync(
    join(seg, '0-1.seg'),
    Buffer.concat([readFileSync(join(seg, '0-1.seg')), Buffer.from('torn')]),
  )
  await use(folder, async (store) => {
    for (const subject of ['third', 'fourth']) await put(store, 1, {}, letter(subject))
  })
  rmSync(join(seg, '0-1.seg'))
  writeFileSync(join(folder, tables), older)
  assert.match((await refusal(folder)).remedy, /mv .*0-2\.seg/)
})

test('a damaged record does not hide those after it; with the remedy that is told, the rest is served', async (t) => {
  const folder = await begin(t)
  const older = readFileSync(join(folder, tables))
  await use(folder, async (store) => {
    for (const subject of ['second', 'third', 'fourth']) await put(store, 1, {}, letter(subject))
  })
  writeFileSync(join(folder, tables), older)
  const file = join(folder, 'shard-00/seg/0-1.seg')
  const octets = readFileSync(file)
  octets[octets.indexOf('Subject: third')]! ^= 1
  writeFileSync(file, octets)
  const { remedy } = await refusal(folder)
  // What came before the damage is in the tables already.
  execFileSync('sh', ['-c', remedy.slice(remedy.indexOf('truncate'))])
  assert.deepEqual(await subjects(folder), ['first', 'second'])
  await use(folder, (store) => put(store, 1, {}, letter('new')))
  assert.deepEqual(await subjects(folder), ['first', 'second', 'new'])
})

for (const [what, break_] of [
  ['empty', (file: string) => writeFileSync(file, '')],
  ['missing', (file: string) => rmSync(file)],
] as const) {
  test(`tables that are ${what} are not taken for those of a new store`, async (t) => {
    const folder = await begin(t)
    const copy = join(folder, 'copy.db')
    copyFileSync(join(folder, tables), copy)
    break_(join(folder, tables))
    const { message, remedy } = await refusal(folder)
    assert.match(message, /is empty or missing, but there are messages/)
    assert.match(remedy, /posthorn restore/)
    copyFileSync(copy, join(folder, tables))
    rmSync(`${join(folder, tables)}-wal`, { force: true })
    assert.deepEqual(await subjects(folder), ['first'])
  })
}

test('tables that are damaged say so, and what to do', async (t) => {
  const folder = await begin(t)
  writeFileSync(join(folder, tables), Buffer.alloc(8_192, 'x'))
  const { message, remedy } = await refusal(folder)
  assert.match(message, /its tables are damaged/)
  assert.match(remedy, /posthorn restore/)
})

test('without any of the files of messages nothing is begun; without some the others are served', async (t) => {
  const folder = await begin(t)
  const seg = join(folder, 'shard-00/seg')
  const first = join(seg, '0-1.seg')
  const octets = readFileSync(first)
  rmSync(first)
  assert.match((await refusal(folder)).remedy, /mount it/)
  writeFileSync(first, Buffer.concat([octets, Buffer.from('torn')]))
  await use(folder, (store) => put(store, 1, {}, letter('second')))
  rmSync(first)
  warnings.length = 0
  await use(folder, async (store) => {
    const emails = await store.getEmails(1, [1, 2])
    await assert.rejects(store.readBody(emails[0]!.body, 0, 1_000))
    assert.match(String(Buffer.from(await store.readBody(emails[1]!.body, 0, 1_000))), /second/)
  })
  assert.deepEqual(warnings, ['store: messages are missing, posthorn verify names them'])
})

test('a folder in which nothing can be made is refused at the start, by name', async (t) => {
  if (process.getuid?.() === 0) return t.skip('root may write everywhere')
  const folder = await begin(t)
  const seg = join(folder, 'shard-00/seg')
  chmodSync(seg, 0o500)
  t.after(() => chmodSync(seg, 0o700))
  const { message, remedy } = await refusal(folder)
  assert.ok(message.includes(seg))
  assert.match(remedy, /chown/)
})

for (const version of [1, 2]) {
  test(`records of version ${version} are read`, async (t) => {
    const folder = await begin(t)
    const older = readFileSync(join(folder, tables))
    await use(folder, (store) => put(store, 1, {}, letter('second')))
    const file = join(folder, 'shard-00/seg/0-1.seg')
    const octets = readFileSync(file)
    const at = octets.lastIndexOf('PSTB')
    const calls = JSON.parse(String(octets.subarray(at + 40))) as { place: { hash: unknown } }[]
    for (const { place } of calls) place.hash = Buffer.from(String(place.hash), 'base64')
    const payload = serialize(calls)
    const record = Buffer.concat([octets.subarray(at, at + 40), payload])
    record[4] = version
    record.writeUInt32BE(payload.length, 12)
    if (version === 1) record.writeUInt32BE(0, 20)
    record.writeUInt32BE(crc32(record.subarray(version === 1 ? 24 : 20)), 16)
    writeFileSync(file, Buffer.concat([octets.subarray(0, at), record]))
    writeFileSync(join(folder, tables), older)
    assert.deepEqual(await subjects(folder), ['first', 'second'])
  })
}
