/** What is exported and imported again is what it was. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { transferFormats } from '../../src/transfer/source.ts'
import { exportTo, fill, importFrom, type Mail, readAll, setUpTransfer } from './fixture.ts'

const words = [
  '\r\n',
  '\n',
  '\r',
  'From ',
  '>',
  'Status: R\r\n',
  'Subject: a\r\n',
  ': ',
  'ü',
  '\0',
  'Return-Path: <a b@c>\r\n',
]
const keywords = [
  '$Forwarded',
  '$forwarded2',
  'work',
  '$Label1',
  'a.b',
  ...Array.from({ length: 28 }, (_, i) => `k${i}`),
]
const message = fc.record({
  text: fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 12 }).map((all) => all.join('')),
  flags: fc.nat(31),
  keywords: fc.uniqueArray(fc.constantFrom(...keywords), { maxLength: 4 }),
  date: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1_000),
})
const step = fc.oneof(
  fc.constantFrom(
    'a',
    'A',
    'é',
    'e\u0301',
    '.',
    '..',
    'x.mbox',
    'cur',
    'Grüße & Küsse',
    'x'.repeat(250),
    '%2E',
    '~',
    '日本',
  ),
  fc
    .string({ minLength: 1, maxLength: 4, unit: 'grapheme' })
    .map((text) => text.replaceAll('/', '_').replaceAll('\0', '_')),
)
const name = fc.oneof(
  fc.constant('INBOX'),
  fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('/')),
)
const mail = fc
  .array(fc.tuple(name, fc.array(message, { maxLength: 4 })), { maxLength: 4 })
  .map((all): Mail => Object.fromEntries(all))

/** What a round trip promises: line ends as CRLF, dates to the second. */
function promised(all: Mail): Mail {
  const normalised = Object.entries(all).map(([mailbox, messages]) => [
    mailbox,
    messages.map((one) => ({
      ...one,
      text: one.text.replace(/(?<!\r)\n/g, '\r\n'),
      date: Math.floor(one.date / 1_000) * 1_000,
    })),
  ])
  return Object.fromEntries(normalised)
}

for (const format of transferFormats) {
  test(`import(export(x)) is x, as ${format}`, { timeout: 300_000 }, async (t) => {
    const { folder, store, door, newAccount } = await setUpTransfer(t)
    let run = 0
    await fc.assert(
      fc.asyncProperty(mail, async (given) => {
        const path = join(folder, `${format}${++run}`)
        const [from, to] = [await newAccount(), await newAccount()]
        await fill(store, from.accountId, given)
        const exported = await exportTo(door, from.address, path, format)
        assert.deepEqual(exported.skipped, [])
        const { skipped } = await importFrom(door, to.address, path)
        assert.deepEqual(skipped, [])
        const [was, is] = [await readAll(store, from.accountId), await readAll(store, to.accountId)]
        assert.deepEqual(promised(is), promised(was))
      }),
      { numRuns: 25 },
    )
  })

  test(`an export as ${format} that is given again adds only what is new`, async (t) => {
    const { folder, store, door, newAccount } = await setUpTransfer(t)
    const [from, to] = [await newAccount(), await newAccount()]
    const path = join(folder, 'out')
    const one = { text: 'Subject: one\r\n\r\n1\r\n', flags: 1, keywords: ['work'], date: 1_700_000_000_000 }
    await fill(store, from.accountId, { INBOX: [one], Work: [one, one] })
    const first = await exportTo(door, from.address, path, format)
    assert.deepEqual([first.written, first.there], [3, 0])
    const again = await exportTo(door, from.address, path, format)
    assert.equal(again.written, 0)
    await fill(store, from.accountId, {
      Work: [{ ...one, text: 'Subject: two\r\n\r\n2\r\n', date: one.date + 1_000 }],
    })
    assert.equal((await exportTo(door, from.address, path, format)).written, 1)
    await importFrom(door, to.address, path)
    assert.deepEqual(await readAll(store, to.accountId), await readAll(store, from.accountId))
  })
}

test('an export does not write into a folder that is not its own', async (t) => {
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const [from, other] = [await newAccount(), await newAccount()]
  const path = join(folder, 'out')
  await fill(store, from.accountId, {
    INBOX: [{ text: 'A: b\r\n\r\nc', flags: 0, keywords: [], date: 1_000 }],
  })
  await exportTo(door, from.address, path, 'mbox')
  await assert.rejects(exportTo(door, from.address, path, 'eml'), /holds an export as mbox/)
  await assert.rejects(exportTo(door, other.address, path, 'mbox'), /an export of another account/)
  await assert.rejects(exportTo(door, from.address, folder, 'mbox'), /is not from this export/)
  writeFileSync(join(path, 'INBOX.mbox'), 'appended by somebody', { flag: 'a' })
  await assert.rejects(exportTo(door, from.address, path, 'mbox'), /was changed since it was exported/)
  assert.deepEqual(readdirSync(path).includes('INBOX.mbox'), true)
  if (existsSync('/proc/self/fd')) assert.deepEqual(openFilesUnder(path), [])
})

function openFilesUnder(folder: string): string[] {
  const target = (fd: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return '' // The descriptor that read the list.
    }
  }
  return readdirSync('/proc/self/fd')
    .map(target)
    .filter((file) => file.startsWith(folder))
}

test('what a crash left of an mbox beyond what the list knows is cut off and written again', async (t) => {
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const [from, to] = [await newAccount(), await newAccount()]
  const path = join(folder, 'out')
  const one = { text: 'A: b\r\n\r\nc\r\n', flags: 0, keywords: [], date: 1_000 }
  await fill(store, from.accountId, { INBOX: [one, { ...one, flags: 1 }] })
  await exportTo(door, from.address, path, 'mbox')
  const half = join(folder, 'half')
  cpSync(path, half, { recursive: true })
  rmSync(join(half, 'posthorn-export.jsonl'))
  const [head] = (await import('node:fs'))
    .readFileSync(join(path, 'posthorn-export.jsonl'), 'utf8')
    .split('\n')
  const { uidValidity } = (await store.findMailbox(from.accountId, 'INBOX'))!
  const lines = [
    head,
    JSON.stringify({ mailbox: 'INBOX', path: 'INBOX.mbox', uidValidity }),
    JSON.stringify({ path: 'INBOX.mbox', uid: 0, octets: 0, complete: false }),
    '{"path":"INBOX.mbox","uid":1,"oc',
  ]
  writeFileSync(join(half, 'posthorn-export.jsonl'), lines.join('\n'))
  for (const file of readdirSync(half))
    if (file.endsWith('.mbox') && file !== 'INBOX.mbox') rmSync(join(half, file))
  assert.equal((await exportTo(door, from.address, half, 'mbox')).written, 2)
  await importFrom(door, to.address, half)
  assert.deepEqual(await readAll(store, to.accountId), await readAll(store, from.accountId))
})
