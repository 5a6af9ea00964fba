/**
 * Ways to index the texts of messages, on the same letters in turn: CPU and size for a message, and what looking for some
 * needles costs before any message is read. docs/decisions/201.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { foldText } from '../../src/message/fold-text.ts'
import { MessageScanner } from '../../src/message/scan.ts'
import { bodyTexts, headerText, searchedFields } from '../../src/message/searched-text.ts'
import { makeCharClasses } from '../../src/store/search/char-classes.ts'
import { DocumentTerms } from '../../src/store/search/document-terms.ts'
import { IndexFile } from '../../src/store/search/index-file.ts'
import { Lookup } from '../../src/store/search/lookup.ts'
import { gatherText, makeLetters } from '../letters.ts'

const count = Number(process.argv[2] ?? 20_000)
const batch = 100
const needles = ['transubstantiate', 'function', 'romis', 'free software', '会议']

interface Texts {
  readonly header: string
  readonly body: string
}

interface Way {
  readonly name: string
  add(texts: readonly Texts[], first: number): void
  find(needle: string): number
  file: string
  close(): void
}

const folder = mkdtempSync(join(tmpdir(), 'posthorn-spike-search-'))

function fts(name: string, options: string, expression: (needle: string) => string): Way {
  const file = join(folder, name.replaceAll(/\W/g, '-'))
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000;
    CREATE VIRTUAL TABLE t USING fts5 (x, content = '', contentless_delete = 1, ${options})`)
  const insert = db.prepare('INSERT INTO t (rowid, x) VALUES (?, ?)')
  const select = db.prepare('SELECT rowid FROM t WHERE t MATCH ?')
  select.setReturnArrays(true)
  return {
    ...{ name, file },
    add(texts, first) {
      db.exec('BEGIN')
      for (const [i, { header, body }] of texts.entries()) insert.run(first + i, `${header}\n${body}`)
      db.exec('COMMIT')
    },
    find: (needle) => select.all(expression(needle)).length,
    close: () => db.close(),
  }
}

function ours(): Way {
  const file = join(folder, 'ours')
  const classes = makeCharClasses()
  const index = new IndexFile(file, 7, classes)
  const terms = new DocumentTerms(index, classes)
  const ids = Float64Array.from({ length: count }, (_, i) => i + 1)
  return {
    ...{ name: 'words in blocks', file },
    add(texts, first) {
      for (const [i, { header, body }] of texts.entries()) {
        terms.begin(first + i)
        terms.add('header', header)
        terms.add('body', body)
        index.advance({ emailId: first + i, hash: '' }, null)
      }
    },
    find(needle) {
      const { blocks } = index.blocks.asked(0, ids)
      const asking = new Lookup(index.vocabulary, classes, blocks, 1, count).ask({ field: 'text', needle })
      for (;;) {
        const step = asking.next()
        if (step.done === true) return step.value!.reduce((sum, { rows }) => sum + rows.length, 0)
      }
    },
    close: () => index.close(),
  }
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
const trigrams = (needle: string): string => {
  const all = Array.from({ length: Math.max(1, needle.length - 2) }, (_, i) => quoted(needle.slice(i, i + 3)))
  return all.join(' AND ')
}
const ways = [
  fts('unicode61, whole words only', "detail = none, tokenize = 'unicode61'", (needle) =>
    needle.split(' ').map(quoted).join(' AND '),
  ),
  fts('trigram', "detail = none, tokenize = 'trigram'", trigrams),
  ours(),
]
const cpuUs = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}
const spent = ways.map(() => [] as number[])
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

function textsOf(octets: Buffer): Texts {
  const scanner = new MessageScanner()
  scanner.push(octets)
  const { root, headerOctets } = scanner.finish()
  const body = [...bodyTexts(root, (offset, length) => octets.subarray(offset, offset + length))].join('\n')
  const header = foldText(headerText(searchedFields(octets.subarray(0, headerOctets))))
  return { header, body: foldText(body) }
}

try {
  const source = gatherText(['/usr/share/doc', join(import.meta.dirname, '../../node_modules')])
  let texts: Texts[] = []
  let done = 0
  for (const letter of makeLetters(source, count)) {
    texts.push(textsOf(letter))
    if (texts.length < batch) continue
    for (const [i, way] of ways.entries()) {
      const before = cpuUs()
      way.add(texts, done + 1)
      spent[i]!.push((cpuUs() - before) / texts.length)
    }
    done += texts.length
    texts = []
  }
  for (const [i, way] of ways.entries()) {
    const mean = spent[i]!.reduce((sum, one) => sum + one, 0) / spent[i]!.length
    console.log(
      `${way.name}: ${mean.toFixed(0)} µs CPU a message (median batch ${median(spent[i]!).toFixed(0)}), ` +
        `${(statSync(way.file).size / count).toFixed(0)} octets`,
    )
    for (const needle of needles) {
      const times: number[] = []
      let found = 0
      for (let round = 0; round < 15; round++) {
        const before = cpuUs()
        found = way.find(foldText(needle))
        times.push((cpuUs() - before) / 1_000)
      }
      console.log(
        `    ${needle.padEnd(18)} ${String(found).padStart(6)} in ${median(times).toFixed(1)} ms CPU`,
      )
    }
    way.close()
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
