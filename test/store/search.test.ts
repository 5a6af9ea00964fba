/** Search: what is found, whatever the state of the index. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { LimitReached, StoreUnavailable } from '../../src/store/errors.ts'
import type { SearchCriterion } from '../../src/store/search.ts'
import { Searcher } from '../../src/store/search/searcher.ts'
import { indexed, octetsOf, searchWorld, type SearchWorld } from './search-world.ts'

const body = (needle: string): SearchCriterion => ({ field: 'body', needle })
const text = (needle: string): SearchCriterion => ({ field: 'text', needle })
const header = (name: string, needle: string): SearchCriterion => ({ field: 'header', name, needle })

const letters = [
  // 0: Chinese and Japanese, encoded words, a surrogate pair.
  `From: =?utf-8?B?5byg5Lyf?= <wei@crepes.example>
To: bob@hamburger.example
Subject: =?utf-8?B?5LuK5aSp55qE5Lya6K6u?= =?utf-8?Q?_=F0=9F=A5=9E_crepes?=
Message-ID: <20261123.abc123def@crepes.example>
Content-Type: text/plain; charset=utf-8

你好，今天的会议改到明天下午三点。日本語の手紙も検索できます。ガガーリン
`,
  // 1: combining marks, no blank between scripts, price.
  `From: "Ren\u00e9e O'Neil" <renee@crepes.example>
Cc: Undisclosed <x@y.example>
Subject: Cafe\u0301 menu
Content-Type: text/plain; charset=utf-8

Crêpes au sucre: 12€ -- naïve STRASSE ΟΔΟΣ in the hope of free software
`,
  // 2: HTML only.
  `From: shop@crepes.example
Subject: Your order
MIME-Version: 1.0
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<html><head><style>.hidden { color: red }</style></head><body>
<p>Th<b>a</b>nk you, J=FCrgen.<br>Order&nbsp;number <i>AB12345678</i> &eacute;t&eacute;</p></body></html>
`,
  // 3: attachments' names, in two encodings, and a message inside.
  `From: a@crepes.example
Subject: files
X-Trace-Id: 9f8e7d6c5b4a
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

see the attached
--b
Content-Type: application/pdf; name="=?utf-8?Q?R=C3=A9sum=C3=A9.pdf?="
Content-Transfer-Encoding: base64

SGVsbG8gaGlkZGVu
--b
Content-Disposition: attachment; filename*=utf-8''%E5%B9%B4%E5%BA%A6%E6%8A%A5%E5%91%8A.xlsx
Content-Type: application/octet-stream

binary
--b
Content-Type: message/rfc822

Subject: =?iso-8859-1?Q?inner_l=E9tter?=
From: inside@deep.example

deeply nested words
--b--
`,
  // 4: nothing but a header.
  `Subject: alone
X-Empty:
`,
  // 5: what numbers and long words are like.
  `Subject: numbers
Content-Type: text/plain; charset=utf-8

4711081512 a1b2c3d4e5f6 Donaudampfschifffahrtsgesellschaftskapitän 0123456789abcdefghijklmnopqrstuvwxyz0123
Непротивоконституционствовательствование
`,
]

/** Which of the letters each search finds. */
const searches: readonly [SearchCriterion, number[]][] = [
  [body('会议'), [0]],
  [body('会'), [0]],
  [body('会议改到明'), [0]],
  [text('天的会议'), [0]],
  [header('subject', '今天'), [0]],
  [header('from', '张伟'), [0]],
  [body('検索でき'), [0]],
  [body('。日本'), [0]],
  [body('カ'), []],
  [body('か\u3099'), []],
  [body('カ\u3099'), [0]],
  [text('🥞'), [0]],
  [header('subject', '🥞 CREPES'), [0]],
  [header('message-id', 'abc123'), [0]],
  [header('message-id', '1123.ABC123DEF@crepes'), [0]],
  [header('message-id', ''), [0]],
  [text('c123de'), [0]],
  [header('subject', 'CAFÉ'), [1]],
  [header('subject', 'cafe\u0301'), [1]],
  [header('subject', 'cafe'), []],
  [body('crepes'), []],
  [body('CRE\u0302PES'), [1]],
  [body('12€'), [1]],
  [body('€'), [1]],
  [body('--'), [1]],
  [body('straße'), [1]],
  [body('οδος'), [1]],
  [body('οδοσ'), [1]],
  [body('ree softw'), [1]],
  [body('free  software'), []],
  [body('software free'), []],
  [header('from', "renée o'n"), [1]],
  [header('cc', 'undisclosed'), [1]],
  [header('bcc', ''), []],
  [header('cc', ''), [1]],
  [body('thank you, jürgen'), [2]],
  [body('ÉTÉ'), [2]],
  [body('hidden'), []],
  [body('order number'), [2]],
  [body('AB12345678'), [2]],
  [body('b123456'), [2]],
  [text('your order'), [2]],
  [body('your order'), []],
  [body('résumé.pdf'), [3]],
  [body('年度报告'), [3]],
  [body('报告.xlsx'), [3]],
  [body('inner létter'), [3]],
  [header('subject', 'inner'), []],
  [body('inside@deep'), [3]],
  [body('nested'), [3]],
  [body('hello hidden'), []],
  [header('x-trace-id', '7d6c'), [3]],
  [header('x-trace-id', ''), [3]],
  [header('x-empty', ''), [4]],
  [header('x-empty', 'a'), []],
  [header('x-none', ''), []],
  [text('x-empty: '), [4]],
  [text('SUBJECT: ALONE'), [4]],
  [body('4711081512'), [5]],
  [body('1081'), [5]],
  [body('12'), [1, 2, 5]],
  [body('b2'), [5]],
  [body('schifffahrtsgesell'), [5]],
  [body('kapitän'), [5]],
  [body('xyz0'), [5]],
  [body('конституц'), [5]],
  [body('ди'), []],
  [body(''), [0, 1, 2, 3, 4, 5]],
  [text('e'), [0, 1, 2, 3, 4, 5]],
  [{ field: 'sent', from: 0, before: 1e15 }, []],
]

async function checkAll(world: SearchWorld, plain: boolean): Promise<void> {
  for (const [criterion, places] of searches)
    assert.deepEqual(await world.find([criterion], plain), places, JSON.stringify(criterion))
}

async function withLetters(world: SearchWorld): Promise<void> {
  for (const letter of letters) await world.put(octetsOf(letter))
}

/** Asks for others besides, in which there is nothing to find: a few messages are looked into without the index. */
async function findAmongOthers(world: SearchWorld): Promise<void> {
  const others: number[] = []
  for (let n = 0; n < 12; n++) {
    others.push(await world.put(`To: other@crepes.example\r\n\r\n${'?! '.repeat(n)}\r\n`))
    world.emailIds.pop()
  }
  await indexed(world.store)
  for (const [criterion, places] of searches) {
    if (
      JSON.stringify(criterion).includes('"needle":""') ||
      (criterion.field === 'text' && criterion.needle === 'e')
    )
      continue
    const emailIds = Float64Array.from([...world.emailIds, ...others])
    const found = await world.store.search(world.accountId, { emailIds, criteria: [criterion] })
    assert.deepEqual([...found], places, JSON.stringify(criterion))
  }
}

test('Texts are found in every language, in headers, HTML, attachments, and messages inside', async (t) => {
  const world = await searchWorld(t)
  await withLetters(world)
  await checkAll(world, true)
  await findAmongOthers(world)
  await checkAll(world, false)
  assert.deepEqual(world.warnings, [])
})

test('Several criteria must all hold; the order of what is asked does not matter, nor does a copy', async (t) => {
  const world = await searchWorld(t)
  for (let n = 0; n < 40; n++)
    await world.put(`Subject: number ${n % 4}\r\n\r\nword${n % 3} and ${n % 2 === 0 ? 'even' : 'odd'}\r\n`)
  await indexed(world.store)
  const criteria = [header('subject', 'BER 2'), body('word1'), text('even')]
  const places = [...Array(40).keys()].filter((n) => n % 4 === 2 && n % 3 === 1)
  assert.deepEqual(await world.find(criteria), places)
  const turned = [...world.emailIds, world.emailIds[10]!, 999_999].reverse()
  const found = await world.store.search(world.accountId, { emailIds: Float64Array.from(turned), criteria })
  assert.deepEqual(
    [...found].map((place) => turned[place]),
    [10, ...places.toReversed()].map((n) => world.emailIds[n]),
  )
  assert.deepEqual(
    [...(await world.store.search(999, { emailIds: Float64Array.from(turned), criteria }))],
    [],
  )
})

test('A message is found as soon as it is acknowledged, while it is indexed and before', async (t) => {
  const world = await searchWorld(t)
  let stop = false
  const deliver = async (who: number): Promise<void> => {
    for (let n = 0; !stop; n++) {
      const emailId = await world.put(`Subject: letter\r\n\r\nunique${who}x${n}y common${n % 7}\r\n`)
      const emailIds = Float64Array.from(world.emailIds)
      const found = await world.store.search(world.accountId, { emailIds, criteria: [body(`e${who}x${n}y`)] })
      assert.deepEqual(
        [...found].map((place) => emailIds[place]),
        [emailId],
      )
    }
  }
  const all = Promise.all([1, 2, 3, 4].map(deliver))
  const end = performance.now() + 2_500
  while (performance.now() < end) {
    const emailIds = Float64Array.from(world.emailIds)
    const found = await world.store.search(world.accountId, { emailIds, criteria: [text('common3')] })
    const plain = await world.store.search(world.accountId, {
      emailIds,
      criteria: [text('common3')],
      plain: true,
    })
    assert.deepEqual(found, plain)
  }
  stop = true
  await all
  await indexed(world.store)
  const { lagMs, messages } = await world.store.searchStatus()
  assert.deepEqual([lagMs, messages], [0, world.emailIds.length])
})

test('A file that is missing, damaged, or of another version is made anew; answers stay whole', async (t) => {
  const world = await searchWorld(t)
  await withLetters(world)
  const file = join(world.folder, 'shard-00', 'fts.db')
  const remove = () => {
    for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
  }
  const change = (sql: string) => {
    const db = new DatabaseSync(file)
    db.exec(sql)
    db.close()
  }
  const harms: readonly [string, () => void, number][] = [
    ['nothing', () => {}, 0],
    ['missing', remove, 0],
    ['no database', () => writeFileSync(file, 'x'.repeat(10_000)), 1],
    ['cut', () => truncateSync(file, 8_192), 1],
    ['another version', () => change("UPDATE state SET value = 'old' WHERE name = 'version'"), 1],
    ['of later messages', () => change("UPDATE state SET value = 9999 WHERE name = 'highWater'"), 1],
    ['of others', () => change("UPDATE state SET value = '16 00' WHERE name = 'mark'"), 1],
    ['words lost', () => change('DROP TABLE words'), 1],
  ]
  for (const [name, harm, warnings] of harms) {
    await indexed(world.store)
    world.warnings.length = 0
    await world.reopen(harm)
    await findAmongOthers(world)
    assert.equal(world.warnings.length, warnings, `${name}: ${world.warnings.join()}`)
    assert.ok(existsSync(file))
  }
})

test('A message whose body cannot be read is found by its envelope only', async (t) => {
  const world = await searchWorld(t)
  for (const subject of ['one', 'two'])
    await world.put(`Subject: ${subject}\r\n\r\nketchup ${'x'.repeat(300_000)}`)
  const big = join(world.folder, 'shard-00', 'big')
  const [first] = readdirSync(big, { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 10)
  rmSync(join(big, first!))
  const [found] = await world.find([text('ketchup')], true)
  assert.deepEqual(await world.find([text('ketchup')], true), [found])
  assert.deepEqual(await world.find([header('subject', 'o')]), [0, 1])
  for (let n = 0; n < 12; n++) await world.put('Subject: three\r\n\r\nmustard')
  await indexed(world.store)
  assert.deepEqual(await world.find([text('ketchup')]), [found])
  assert.deepEqual(
    await world.find([body('stard')]),
    [...Array(12).keys()].map((n) => n + 2),
  )
})

test('Messages that are gone leave the index', async (t) => {
  const world = await searchWorld(t)
  for (let n = 0; n < 700; n++) await world.put(`Subject: ${n}\r\n\r\nketchup`)
  await indexed(world.store)
  await world.store.close()
  const folder = join(world.folder, 'shard-00')
  const db = new DatabaseSync(join(folder, 'meta.db'))
  // As the sweeping of garbage leaves it, days after they were expunged.
  db.exec(`DELETE FROM email WHERE email % 3 = 0`)
  db.close()
  const statuses: number[] = []
  const searcher = new Searcher({ folder, seed: 1, everybody: true }, (reply) => {
    if (reply.kind === 'status') statuses.push(reply.status.messages)
  })
  searcher.receive({ kind: 'clear' })
  searcher.receive({ kind: 'status', id: 1 })
  while (searcher.step());
  searcher.receive({ kind: 'status', id: 2 })
  searcher.close()
  assert.deepEqual(statuses, [700, 700 - Math.floor(700 / 3)])
})

test('A search can be given up, and is bounded', async (t) => {
  const world = await searchWorld(t)
  const many = `${'lorem ipsum dolor '.repeat(20_000)}\r\n`
  for (let n = 0; n < 100; n++) await world.put(`Subject: ${n}\r\n\r\n${many}`)
  const emailIds = Float64Array.from(world.emailIds)
  const controller = new AbortController()
  let told = 0
  const progress = (done: number, total: number) => {
    told++
    assert.ok(done <= total)
    if (done > 0) controller.abort(new Error('gone'))
  }
  const ask = (more: object) =>
    world.store.search(world.accountId, { emailIds, criteria: [text('?')], plain: true, ...more })
  const few = emailIds.subarray(0, 1)
  await assert.rejects(ask({ signal: controller.signal, progress }), /gone/)
  assert.ok(told > 0)
  await assert.rejects(ask({ signal: AbortSignal.abort(new Error('before')) }), /before/)
  await assert.rejects(ask({ criteria: [text('x'.repeat(1_001))] }), LimitReached)
  await assert.rejects(ask({ criteria: Array(51).fill(text('x')) }), LimitReached)
  const answers = await Promise.allSettled(Array.from({ length: 250 }, () => ask({ emailIds: few })))
  const refused = answers.filter(({ status }) => status === 'rejected')
  assert.equal(refused.length, 50)
  const pending = ask({})
  await Promise.all([assert.rejects(pending, StoreUnavailable), world.store.close()])
  await assert.rejects(ask({}), StoreUnavailable)
})
