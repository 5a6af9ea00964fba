/**
 * Large stores, made once and kept in .cache/bench for later runs. A few letters are delivered for real; the rest are
 * rows of SQL that point at the same bodies, as copies of a message do: five million in some minutes instead of an hour.
 * The emails of all accounts lie among each other, as if they had arrived in turns.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { hashPassword } from '../../src/auth/password-hash.ts'
import { migrations } from '../../src/store/migrations/all.ts'
import type { Surrounding } from './figure.ts'
import { addAccounts, deliver, letterOf, openAt, untilIndexed } from './use-store.ts'

/** Grows when the stores are made otherwise. */
const version = 1
const cache = new URL('../../.cache/bench/', import.meta.url).pathname
/** Letters that all rows of SQL are copies of. */
const samples = 16

interface Plan {
  readonly accounts: number
  readonly messages: number
  /** Octets of a letter. */
  readonly octets: number
}

/** Delivered one by one, each another text, all of them in the search's index. @returns The data folder. */
export async function deliveredStore(plan: Plan, { anew }: Surrounding): Promise<string> {
  const data = await prepared(`delivered-${nameOf(plan)}`, anew, async (folder) => {
    const store = await openAt(folder)
    const accounts = await addAccounts(store, plan.accounts, await hashPassword('pw'))
    let n = 0
    const one = async (): Promise<void> => {
      for (let own = n++; own < plan.messages; own = n++)
        await deliver(store, accounts[own % accounts.length]!, letterOf(own, plan.octets))
    }
    await Promise.all(Array.from({ length: 100 }, one))
    await store.close()
  })
  // The index may have been made by a program that made it otherwise.
  const store = await openAt(data)
  await untilIndexed(store)
  await store.close()
  return data
}

/**
 * Made of rows. A folder lies where the search's index would be: else it would begin to read all of them.
 *
 * @returns The data folder.
 */
export function copiedStore(plan: Plan, { anew }: Surrounding): Promise<string> {
  return prepared(`copied-${nameOf(plan)}`, anew, async (folder) => {
    const store = await openAt(folder)
    const accounts = await addAccounts(store, plan.accounts, await hashPassword('pw'))
    const sampled: number[] = []
    for (let n = 0; n < samples; n++)
      sampled.push((await deliver(store, accounts[0]!, letterOf(n, plan.octets))).emailId)
    await store.close()
    const shard = join(folder, 'shard-00')
    if (plan.messages > 0) copyRows(shard, accounts, sampled, Math.floor(plan.messages / plan.accounts))
    for (const end of ['', '-wal', '-shm']) rmSync(join(shard, `fts.db${end}`), { force: true })
    mkdirSync(join(shard, 'fts.db'))
  })
}

function nameOf({ accounts, messages, octets }: Plan): string {
  return `${messages}-of-${octets}-in-${accounts}-v${version}.${migrations.length}`
}

async function prepared(
  name: string,
  anew: boolean,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cache, name)
  if (anew) rmSync(folder, { recursive: true, force: true })
  if (existsSync(join(folder, 'made'))) return join(folder, 'data')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  const begin = performance.now()
  console.error(`making ${folder} ...`)
  const unfinished = `${folder}.${process.pid}`
  try {
    await make(join(unfinished, 'data'))
    writeFileSync(join(unfinished, 'made'), '')
    renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  console.error(`made in ${((performance.now() - begin) / 1_000).toFixed(0)} s`)
  return join(folder, 'data')
}

/** @param each Messages that every account gets in its INBOX, besides what it has. */
function copyRows(
  shard: string,
  accounts: readonly number[],
  sampled: readonly number[],
  each: number,
): void {
  const db = new DatabaseSync(join(shard, 'meta.db'))
  db.exec(`PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; BEGIN;
    CREATE TEMP TABLE a (n INTEGER PRIMARY KEY, account INTEGER, uid INTEGER, modseq INTEGER);
    CREATE TEMP TABLE r (n INTEGER PRIMARY KEY);
    CREATE TEMP TABLE s (n INTEGER PRIMARY KEY, email INTEGER);`)
  const ofAccount = db.prepare(
    `INSERT INTO a SELECT ?, account, uidnext, (SELECT counter FROM account_state WHERE account = ?2) FROM mailbox
      WHERE account = ?2 AND name = 'INBOX'`,
  )
  for (const [n, account] of accounts.entries()) ofAccount.run(n, account)
  db.exec(
    `WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < ${each}) INSERT INTO r SELECT n FROM n`,
  )
  const sample = db.prepare('INSERT INTO s VALUES (?, ?)')
  for (const [n, email] of sampled.entries()) sample.run(n, email)
  const counter = (name: string) =>
    Number(db.prepare('SELECT value FROM counter WHERE name = ?').get(name)!['value'])
  const [email, blob] = [counter('email') + 1, counter('blob') + 1]
  const place = `r.n * ${accounts.length} + a.n`
  const all = 'FROM r CROSS JOIN a JOIN s ON s.n'
  const columns = 'prefix, envelope, body_structure, structure, journey'
  db.exec(`
    INSERT INTO blob SELECT ${blob} + ${place}, a.account, segment, offset, octets, stored, codec, hash, file
      ${all} = (r.n + a.n) % ${samples} JOIN email e ON e.email = s.email JOIN blob b ON b.blob = e.blob;
    INSERT INTO email SELECT ${email} + ${place}, a.account, a.modseq + r.n + 1, ${blob} + ${place}, body_octets,
      '1:' || (a.uid + r.n), ${columns} ${all} = (r.n + a.n) % ${samples} JOIN email e ON e.email = s.email;
    INSERT INTO message SELECT a.account, m.mailbox, a.uid + r.n, a.modseq + r.n + 1, r.n % 3 > 0, 0,
      e.body_octets + length(e.prefix), 1770000000000 + r.n * 60000, ${email} + ${place}
      FROM a CROSS JOIN r JOIN s ON s.n = (r.n + a.n) % ${samples} JOIN email e ON e.email = s.email
      JOIN mailbox m ON m.account = a.account AND m.name = 'INBOX';
    INSERT INTO refs SELECT a.account, abs(random()) >> 10, a.modseq + r.n + 1 FROM a CROSS JOIN r;
    UPDATE counter SET value = value + ${accounts.length * each} WHERE name IN ('email', 'blob');
    UPDATE account_state SET counter = counter + ${each}, used_messages = used_messages + ${each},
      used_octets = used_octets + ${each} * 10000 WHERE account IN (SELECT account FROM a);
    UPDATE mailbox SET uidnext = uidnext + ${each}, highestmodseq = highestmodseq + ${each}, total = total + ${each},
      unseen = unseen + ${each} / 3, octets = octets + ${each} * 10000
      WHERE name = 'INBOX' AND account IN (SELECT account FROM a);
    COMMIT;`)
  db.close()
}
