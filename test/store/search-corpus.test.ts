/** The answers of the index are those of reading every message: for a thousand needles taken from real mail. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import iconv from 'iconv-lite'
import { foldText } from '../../src/message/fold-text.ts'
import { parameterValue } from '../../src/message/parameters.ts'
import type { Part } from '../../src/message/part.ts'
import { MessageScanner } from '../../src/message/scan.ts'
import type { SearchCriterion } from '../../src/store/search.ts'
import { type IndexBounds, indexBounds, removeIndexFile } from '../../src/store/search/index-file.ts'
import type { SearchReply } from '../../src/store/search/protocol.ts'
import { Searcher } from '../../src/store/search/searcher.ts'
import { indexed, searchWorld, type SearchWorld, textsOf } from './search-world.ts'

const needleCount = 1_000
const seed = Number(process.env['SEARCH_SEED'] ?? 20_261_123)
const fileOctetsMax = 2_000_000

interface Letter {
  readonly octets: Uint8Array
  readonly charsets: readonly string[]
  readonly header: string
  readonly bodies: readonly string[]
}

/** Charsets the corpus has too little of; each in a header and in a body. */
const written: readonly [string, string][] = [
  ['gb18030', '今天下午的会议改到明天。请把报告发给我，谢谢！'],
  ['big5', '親愛的朋友：明天下午三點開會，請準時參加。'],
  ['shift_jis', '拝啓　来週の打ち合わせは木曜日に変更になりました。ｶﾀｶﾅ'],
  ['euc-jp', 'お世話になっております。資料をお送りします。'],
  ['iso-2022-jp', '件名：検索の試験について'],
  ['euc-kr', '안녕하세요. 내일 회의는 오후 세 시에 있습니다.'],
  ['koi8-r', 'Уважаемые коллеги! Завтра встреча в три часа.'],
  ['windows-1251', 'Съешь же ещё этих мягких французских булок'],
  ['windows-1252', 'Garçon, un café crème à 2 € – déjà bu'],
  ['windows-1253', 'Καλημέρα, ο ΟΔΟΣ και το σπίτι'],
  ['windows-1254', 'İstanbul’da ılık bir gün, ŞEKER'],
  ['windows-1255', 'שלום לכולם, הפגישה מחר בשעה שלוש'],
  ['windows-1256', 'مرحبا، الاجتماع غدا في الساعة الثالثة'],
  ['tis-620', 'สวัสดีครับ พรุ่งนี้ประชุมบ่ายสามโมง'],
  ['iso-8859-15', 'Œuvre à 5 € chez Ÿvon'],
  ['utf-16be', 'Wide letters, ñandú'],
  ['utf-8', 'हिन्दी में पत्र 🥞👩‍👩‍👧 ﬁn ①②'],
]

function encode(text: string, charset: string): Buffer {
  if (charset !== 'iso-2022-jp') return iconv.encode(text, charset)
  // JIS X 0208 between two escapes: EUC-JP without its high bits. Only for text that has nothing else in it.
  const jis = iconv.encode(text, 'euc-jp').map((octet) => octet & 0x7f)
  return Buffer.concat([Buffer.from('\x1b$B'), jis, Buffer.from('\x1b(B')])
}

function writeLetter(charset: string, text: string): Uint8Array {
  const encoded = encode(text, charset).toString('base64')
  const subject = `=?${charset}?B?${encode(text.slice(0, 12), charset).toString('base64')}?=`
  const from = `From: =?${charset}?B?${encode(text.slice(3, 9), charset).toString('base64')}?= <a@b.example>`
  const head = `${from}\r\nSubject: ${subject}\r\nContent-Type: text/plain; charset=${charset}\r\n`
  return Buffer.from(`${head}Content-Transfer-Encoding: base64\r\n\r\n${encoded}\r\n`, 'latin1')
}

function readCorpus(): Letter[] {
  const roots = ['../../../shared/data/corpus', '../corpus'].map((path) => join(import.meta.dirname, path))
  const files = roots.flatMap((root) => {
    try {
      return readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => join(root, name))
    } catch {
      // Only a checkout beside the shared data has the large one.
      return []
    }
  })
  const found = files
    .filter((file) => statSync(file).isFile() && statSync(file).size <= fileOctetsMax)
    .map((file) => describe(readFileSync(file)))
  return [...found, ...written.map(([charset, text]) => describe(writeLetter(charset, text)))]
}

function describe(octets: Uint8Array): Letter {
  const scanner = new MessageScanner()
  scanner.push(octets)
  const charsets = new Set<string>()
  const visit = (part: Part): void => {
    if (part.type === 'text')
      charsets.add((parameterValue(part.parameters, 'charset') ?? 'none').toLowerCase())
    part.parts.forEach(visit)
  }
  visit(scanner.finish().root)
  return { octets, charsets: [...charsets], ...textsOf(octets) }
}

/** The same numbers each time, xorshift. */
function randomNumbers(): (below: number) => number {
  let state = seed | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

interface Question {
  readonly criterion: SearchCriterion
  readonly charset: string
  readonly expected: readonly number[]
}

/** Pieces of texts, one charset after another; some as they stand, some in other case, some spoilt. */
function makeQuestions(letters: readonly Letter[]): Question[] {
  const random = randomNumbers()
  const charsets = [...new Set(letters.flatMap((letter) => letter.charsets))]
  return Array.from({ length: needleCount }, (_, n) => {
    const charset = charsets[n % charsets.length]!
    const some = letters.filter((letter) => letter.charsets.includes(charset))
    const { header, bodies } = some[random(some.length)]!
    const texts = random(4) === 0 ? [header] : bodies.filter((text) => text.length > 0)
    const text = texts[random(Math.max(1, texts.length))] ?? header
    // Lengths of words, mostly.
    const length = 1 + random(random(3) === 0 ? 40 : 12)
    const at = random(Math.max(1, text.length - length))
    let needle = text.slice(at, at + length).toWellFormed()
    if (random(3) === 0) needle = needle.toLowerCase()
    if (random(12) === 0) needle += 'q'
    const criterion: SearchCriterion = { field: random(3) === 0 ? 'body' : 'text', needle }
    const folded = foldText(needle.replaceAll('\r\n', '\n'))
    const expected: number[] = []
    for (const [place, letter] of letters.entries()) {
      const inHeader = folded === '' || (criterion.field === 'text' && letter.header.includes(folded))
      if (inHeader || letter.bodies.some((body) => body.includes(folded))) expected.push(place)
    }
    return { criterion, charset, expected }
  })
}

const letters = readCorpus()
const questions = makeQuestions(letters)

async function withCorpus(t: TestContext): Promise<SearchWorld> {
  const world = await searchWorld(t)
  // In this order, so that places are the same.
  for (const { octets } of letters) await world.put(octets)
  return world
}

test('A thousand needles in every charset: the index answers as reading all messages does', async (t) => {
  const world = await withCorpus(t)
  await indexed(world.store)
  const charsets = new Set(questions.map(({ charset }) => charset))
  const hits = questions.filter(({ expected }) => expected.length > 0).length
  t.diagnostic(
    `seed ${seed}: ${letters.length} messages, ${charsets.size} charsets, ${hits} needles in some message`,
  )
  assert.ok(hits > needleCount / 2)
  for (const [n, { criterion, charset, expected }] of questions.entries()) {
    const what = `${charset}, seed ${seed}: ${JSON.stringify(criterion)}`
    assert.deepEqual(await world.find([criterion]), expected, what)
    if (n % 20 === 0) assert.deepEqual(await world.find([criterion], true), expected, `plainly: ${what}`)
  }
  assert.deepEqual(world.warnings, [])
})

/** Bounds so low that each is reached: words that find no room, blocks that fill up, texts that are too long. */
const lowBounds: readonly IndexBounds[] = [
  { ...indexBounds, blockMessages: 50 },
  { vocabularyOctets: 20_000, messageChars: 20_000, blockMessages: 300 },
  { vocabularyOctets: 0, messageChars: 1_048_576, blockMessages: 7 },
]

test('At every bound of the index the answers are the same', async (t) => {
  const world = await withCorpus(t)
  await world.store.close()
  const emailIds = Float64Array.from(world.emailIds)
  for (const bounds of lowBounds) {
    const replies = new Map<number, SearchReply>()
    const data = { folder: join(world.folder, 'shard-00'), seed: 1, everybody: true, bounds }
    const open = () =>
      new Searcher(data, (reply) => {
        if (reply.kind === 'found') replies.set(reply.id, reply)
        else assert.ok(reply.kind !== 'warning' && reply.kind !== 'failed', JSON.stringify(reply))
      })
    // Closed some times, so that open blocks are filled again.
    let searcher = open()
    for (let steps = 1; searcher.step(); steps++) {
      if (steps > 100 || steps % 10 !== 0) continue
      searcher.close()
      searcher = open()
    }
    for (const [id, { criterion }] of questions.entries()) {
      if (id % 5 !== 0) continue
      const criteria = [criterion]
      const asked = { accountId: world.accountId, emailIds, criteria, plain: false, at: 0 }
      searcher.receive({ kind: 'search', id, ...asked })
      while (!replies.has(id)) searcher.step()
      const reply = replies.get(id)
      assert.ok(reply?.kind === 'found')
      assert.deepEqual([...reply.places], questions[id]!.expected, JSON.stringify(criterion))
    }
    searcher.close()
    // The next one begins anew.
    removeIndexFile(join(data.folder, 'fts.db'))
  }
})
