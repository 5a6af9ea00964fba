/**
 * Spike (a), docs/decisions/010: what a delivery costs in an empty store and in one of 5 million messages in 10,000
 * accounts, and what each tree that a delivery touches adds.
 * `node bench/spikes/tables.ts [messages] [accounts] [folder] [page size]`
 */
import { rmSync, mkdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { sql } from '../../src/store/migrations/001-tables.ts'

const messages = Number(process.argv[2] ?? 5_000_000)
const accounts = Number(process.argv[3] ?? 10_000)
const folder = process.argv[4] ?? '/work/spike-tables'
const page = Number(process.argv[5] ?? 4096)

const envelope = '("Mon, 1 Jan 2026 10:00:00 +0000" "a subject of usual length, say forty"'.padEnd(400, 'e')
const bodyStructure = '(("TEXT" "PLAIN" ("CHARSET" "utf-8")'.padEnd(250, 'b')
const structure = '0:812:9000'.padEnd(80, 's')
const prefix = 'Return-Path: <>\r\nReceived: from'.padEnd(600, 'p')
const hash = new Uint8Array(16)

function prepare(db: DatabaseSync) {
  const of = (text: string) => {
    const statement = db.prepare(text)
    statement.setReturnArrays(true)
    return statement
  }
  return {
    account: of(
      'UPDATE account_state SET counter = counter + 1, used_octets = used_octets + ?, used_messages = used_messages + 1 WHERE account = ? RETURNING counter',
    ),
    mailbox: of(
      'UPDATE mailbox SET uidnext = uidnext + 1, highestmodseq = ?, total = total + 1, unseen = unseen + 1, octets = octets + ? WHERE account = ? AND mailbox = ? RETURNING uidnext - 1, uidvalidity',
    ),
    blob: of('INSERT INTO blob VALUES (NULL, ?, 1, ?, 10000, 10000, 0, ?, NULL)'),
    ref: of('SELECT thread FROM refs WHERE account = ? AND hash = ?'),
    putRef: of('INSERT OR IGNORE INTO refs VALUES (?, ?, ?)'),
    email: of("INSERT INTO email VALUES (NULL, ?, ?, ?, 10600, '1:1', ?, ?, ?, ?, ?)"),
    message: of('INSERT INTO message VALUES (?, ?, ?, ?, 0, 0, 10600, ?, ?)'),
  }
}

/** `trees` says which of the optional ones a delivery touches. */
function deliver(s: ReturnType<typeof prepare>, account: number, at: number, trees: string): void {
  const [n] = s.account.get(10_600, account) as unknown as [number]
  const [uid] = s.mailbox.get(n, 10_600, account, 1) as unknown as [number]
  if (trees.includes('b')) s.blob.run(account, at, hash)
  const id = Math.floor(Math.random() * 2 ** 48)
  if (trees.includes('r')) {
    s.ref.get(account, id)
    s.putRef.run(account, id, n)
  }
  if (trees.includes('R')) s.putRef.run(account, id + 2 ** 40, n)
  s.email.run(account, n, n, prefix, envelope, bodyStructure, structure, '0123456789abcdef')
  s.message.run(account, 1, uid, n, Date.now(), n)
}

function open(file: string, fast: boolean): DatabaseSync {
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA page_size = ${page}`)
  db.exec(
    fast
      ? 'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000'
      : 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -64000; PRAGMA wal_autocheckpoint = 0',
  )
  return db
}

const indexes = `CREATE INDEX message_modseq ON message (account, mailbox, modseq);
  CREATE INDEX message_email ON message (account, email)`

function fill(file: string, count: number): void {
  rmSync(file, { force: true })
  const db = open(file, true)
  db.exec(sql)
  db.exec('BEGIN')
  for (let a = 1; a <= accounts; a++) {
    db.exec(`INSERT INTO account_state VALUES (${a}, 10, 1, 0, 0);
      INSERT INTO mailbox SELECT ${a}, value, 'm' || value, 1, 1, 1, 0, 0, 0, NULL FROM json_each('[1,2,3,4,5,6]')`)
  }
  const s = prepare(db)
  const each = Math.floor(count / accounts)
  for (let a = 1; a <= accounts; a++) {
    for (let i = 0; i < each; i++) deliver(s, a, i * 10_000, 'br')
    if (a % 100 === 0) db.exec('COMMIT; BEGIN')
  }
  db.exec('COMMIT')
  db.close()
}

function measure(db: DatabaseSync, name: string, among: number, trees: string, seconds = 4): void {
  const s = prepare(db)
  const latencies: number[] = []
  let done = 0
  let checkpointMs = 0
  const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  const cpu = process.cpuUsage()
  const start = performance.now()
  while (performance.now() - start < seconds * 1000) {
    const t = performance.now()
    db.exec('BEGIN IMMEDIATE')
    for (let i = 0; i < 100; i++) deliver(s, 1 + Math.floor(Math.random() * among), done * 10_000, trees)
    db.exec('COMMIT')
    done += 100
    if (done % 1000 === 0) {
      const c = performance.now()
      checkpoint.all()
      checkpointMs += performance.now() - c
    }
    latencies.push(performance.now() - t)
  }
  const wall = performance.now() - start
  const used = process.cpuUsage(cpu)
  latencies.sort((a, b) => a - b)
  console.log(
    name.padEnd(44),
    `${Math.round((done / wall) * 1000)}/s`.padStart(9),
    `${((used.user + used.system) / done).toFixed(1)} us CPU`,
    `batch p50 ${latencies[latencies.length >> 1]!.toFixed(1)} p99 ${latencies[Math.floor(latencies.length * 0.99)]!.toFixed(1)} ms`,
    `checkpoints ${Math.round((checkpointMs / wall) * 100)} %`,
  )
}

mkdirSync(folder, { recursive: true })
fill(`${folder}/empty.db`, 0)
let db = open(`${folder}/empty.db`, false)
measure(db, 'empty, 100 accounts', 100, 'r')
measure(db, 'empty, 100 accounts, no refs', 100, '')
measure(db, 'empty, 100 accounts, blob rows', 100, 'rb')
measure(db, 'empty, 100 accounts, blob rows, 2 refs', 100, 'rRb')
db.exec(indexes)
measure(db, 'empty, 100 accounts, all and two indexes', 100, 'rRb')
db.close()
const t = performance.now()
fill(`${folder}/full.db`, messages)
console.log(`filled ${messages} in ${Math.round((performance.now() - t) / 1000)} s`)
db = open(`${folder}/full.db`, false)
measure(db, 'full, any of the accounts, first', accounts, 'r')
measure(db, 'full, any of the accounts', accounts, 'r')
measure(db, 'full, any, blob rows', accounts, 'rb')
measure(db, 'full, any, blob rows, 2 refs', accounts, 'rRb')
measure(db, 'full, 100 busy accounts', 100, 'r')
db.exec('PRAGMA cache_size = -256000')
measure(db, 'full, any, cache 256 MB', accounts, 'r')
db.exec('PRAGMA cache_size = -64000')
db.exec(indexes)
measure(db, 'full, any, all and two indexes', accounts, 'rRb')
db.close()
rmSync(folder, { recursive: true, force: true })
