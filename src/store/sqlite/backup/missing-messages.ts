/**
 * Finds the messages of one account that a backup has and a store has not, and reads them. A message is known by its body's
 * hash, the fields above the body and the mailbox it is in; what a mailbox held twice it holds twice again.
 *
 * Both folders are read only. What is compared is kept in a temporary file of SQLite's, so memory does not grow with the
 * account.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AccountUnknown } from '../../errors.ts'
import type { SpecialUse } from '../../store.ts'
import { Sql } from '../database.ts'
import {
  BadBody,
  type BodyPlaces,
  StoredBodies,
  storedBodyColumns,
  storedBodyOf,
} from '../verify/stored-body.ts'
import { tablesFile } from './layout.ts'
import { type Manifest, findManifest } from './manifest.ts'

const rowsAtOnce = 500
/** Bodies over this come in pieces. */
const batchOctets = 262_144
const batchMessages = 50

export interface MissingData {
  /** Of all backups. */
  readonly folder: string
  readonly at: string | null
  /** The shard's folder of the store. */
  readonly shard: string
  /** As the backup knows it. */
  readonly address: string
  /** The account of the store that gets them; null: it is not there yet. */
  readonly accountId: number | null
  readonly under: string | null
}

export interface PlannedMailbox {
  /** Where its messages go. */
  readonly name: string
  readonly specialUse: SpecialUse | null
  readonly subscribed: boolean
  readonly missing: number
}

export interface MissingPlan {
  readonly name: string
  readonly takenAt: number
  readonly passwordHash: string | null
  readonly mailboxes: readonly PlannedMailbox[]
  readonly present: number
  readonly missing: number
}

export interface MissingPlace {
  readonly mailbox: string
  readonly flags: number
  readonly keywords: readonly string[]
  readonly internalDate: number
}

export interface MissingMessage {
  readonly places: readonly MissingPlace[]
  readonly prefix: string
  readonly journeyId: string | null
}

export type MissingItem =
  | {
      readonly kind: 'messages'
      readonly messages: readonly (MissingMessage & { readonly body: Uint8Array })[]
    }
  /** Its body comes in pieces, then `end`. */
  | { readonly kind: 'begin'; readonly message: MissingMessage }
  | { readonly kind: 'piece'; readonly octets: Uint8Array }
  | { readonly kind: 'end' }
  /** What cannot be read; after `begin` it ends that message. */
  | { readonly kind: 'unreadable'; readonly places: readonly MissingPlace[]; readonly text: string }

interface BackupMailbox {
  readonly mailbox: number
  readonly name: string
  readonly specialUse: SpecialUse | null
  readonly target: string
  missing: number
}

export class MissingMessages {
  readonly plan: MissingPlan
  readonly #sql: Sql
  readonly #account: number
  readonly #bodies: StoredBodies
  readonly #mailboxes = new Map<number, BackupMailbox>()

  /** @throws {BackupUnusable} @throws {AccountUnknown} The backup has no such account. */
  constructor(data: MissingData) {
    const manifest = findManifest(data.folder, data.at)
    const db = new DatabaseSync(join(data.folder, manifest.name, tablesFile), { readOnly: true })
    db.exec('PRAGMA cache_size = -16000; PRAGMA temp_store = FILE')
    db.prepare('ATTACH ? AS live').run(join(data.shard, tablesFile))
    this.#sql = new Sql(db)
    this.#bodies = new StoredBodies(placesOf(data.folder, manifest))
    const account = this.#sql.get<readonly [number, string | null]>(
      'SELECT account, password FROM main.account WHERE address = ?',
      data.address,
    )
    if (account === undefined) throw new AccountUnknown(`${data.address} in the backup ${manifest.name}`)
    this.#account = account[0]
    this.#sql.exec(`
      CREATE TEMP TABLE there (key BLOB PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TEMP TABLE missing (email INTEGER, mailbox INTEGER, uid INTEGER, PRIMARY KEY (email, mailbox, uid)) WITHOUT ROWID`)
    const present = this.#compare(data)
    const mailboxes = [...this.#mailboxes.values()]
    this.plan = {
      ...{ name: manifest.name, takenAt: manifest.takenAtMs, passwordHash: account[1], present },
      mailboxes: mailboxes.map(({ name, target, specialUse, missing }) => ({
        ...{ name: target, specialUse: data.under === null ? specialUse : null, missing },
        subscribed: this.#isSubscribed(name),
      })),
      missing: mailboxes.reduce((sum, { missing }) => sum + missing, 0),
    }
  }

  /** The messages, in the order in which they came to the account. */
  *items(): Generator<MissingItem> {
    let batch: (MissingMessage & { readonly body: Uint8Array })[] = []
    let octets = 0
    for (const [email, places] of this.#missing()) {
      const row = this.#sql.get(
        `SELECT ${storedBodyColumns}, e.prefix, e.journey FROM main.email e JOIN main.blob b ON b.blob = e.blob WHERE e.email = ?`,
        email,
      )
      if (row === undefined) {
        yield { kind: 'unreadable', places, text: 'its rows are not in the backup' }
        continue
      }
      const body = storedBodyOf(row)
      const [prefix, journeyId] = row.slice(7) as [string, string | null]
      const message: MissingMessage = { places, prefix, journeyId }
      try {
        if (body.octets > batchOctets) {
          yield { kind: 'begin', message }
          for (const piece of this.#bodies.read(body)) yield { kind: 'piece', octets: piece }
          yield { kind: 'end' }
          continue
        }
        const whole = Buffer.concat([...this.#bodies.read(body)])
        batch.push({ ...message, body: whole })
        octets += whole.length
      } catch (error) {
        if (!(error instanceof BadBody)) throw error
        yield { kind: 'unreadable', places, text: `the body ${error.message}` }
      }
      if (octets >= batchOctets || batch.length >= batchMessages) {
        yield { kind: 'messages', messages: batch }
        batch = []
        octets = 0
      }
    }
    if (batch.length > 0) yield { kind: 'messages', messages: batch }
  }

  close(): void {
    this.#bodies.close()
    this.#sql.close()
  }

  /** @returns How many are there already. */
  #compare(data: MissingData): number {
    let present = 0
    const rows = this.#sql.all<readonly [number, string, SpecialUse | null]>(
      'SELECT mailbox, name, special_use FROM main.mailbox WHERE account = ? ORDER BY name',
      this.#account,
    )
    for (const [mailbox, name, specialUse] of rows) {
      const target = data.under === null ? name : `${data.under}/${name}`
      const seen: BackupMailbox = { mailbox, name, specialUse, target, missing: 0 }
      this.#mailboxes.set(mailbox, seen)
      this.#sql.exec('BEGIN; DELETE FROM temp.there')
      if (data.accountId !== null)
        for (const other of new Set([name, target])) this.#noteThere(data.accountId, other)
      for (const [uid, email, key] of this.#keys('main', this.#account, mailbox)) {
        const found = this.#sql.run('UPDATE temp.there SET n = n - 1 WHERE key = ? AND n > 0', key)
        if (found > 0) {
          present++
          continue
        }
        this.#sql.run('INSERT INTO temp.missing VALUES (?, ?, ?)', email, mailbox, uid)
        seen.missing++
      }
      this.#sql.exec('COMMIT')
    }
    return present
  }

  #noteThere(accountId: number, name: string): void {
    const row = this.#sql.get<readonly [number]>(
      'SELECT mailbox FROM live.mailbox WHERE account = ? AND name = ?',
      accountId,
      name,
    )
    if (row === undefined) return
    for (const [, , key] of this.#keys('live', accountId, row[0])) {
      this.#sql.run('INSERT INTO temp.there VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET n = n + 1', key)
    }
  }

  /** What tells the messages of a mailbox apart, by UID and email. */
  *#keys(
    database: 'main' | 'live',
    account: number,
    mailbox: number,
  ): Generator<[number, number, Uint8Array]> {
    for (let after = 0; ; ) {
      const rows = this.#sql.all<readonly [number, number, Uint8Array | null, string | null]>(
        `SELECT m.uid, m.email, b.hash, e.prefix FROM ${database}.message m
          LEFT JOIN ${database}.email e ON e.email = m.email LEFT JOIN ${database}.blob b ON b.blob = e.blob
          WHERE m.account = ? AND m.mailbox = ? AND m.uid > ? ORDER BY m.uid LIMIT ${rowsAtOnce}`,
        account,
        mailbox,
        after,
      )
      for (const [uid, email, hash, prefix] of rows) {
        const sha = createHash('sha256').update(hash ?? `lost ${email}`)
        yield [
          uid,
          email,
          sha
            .update(prefix ?? '', 'latin1')
            .digest()
            .subarray(0, 16),
        ]
      }
      if (rows.length < rowsAtOnce) return
      after = rows.at(-1)![0]
    }
  }

  /** Emails with the places in which they are missing. */
  *#missing(): Generator<[number, MissingPlace[]]> {
    for (let after = 0; ; ) {
      const emails = this.#sql.all<readonly [number]>(
        `SELECT DISTINCT email FROM temp.missing WHERE email > ? ORDER BY email LIMIT ${rowsAtOnce}`,
        after,
      )
      for (const [email] of emails) yield [email, this.#placesOf(email)]
      if (emails.length < rowsAtOnce) return
      after = emails.at(-1)![0]
    }
  }

  #placesOf(email: number): MissingPlace[] {
    return this.#sql
      .all<readonly [number, number, number, number]>(
        `SELECT m.mailbox, m.flags, m.keywords, m.internal_date FROM temp.missing x
          JOIN main.message m ON m.account = ? AND m.mailbox = x.mailbox AND m.uid = x.uid WHERE x.email = ?`,
        this.#account,
        email,
      )
      .map(([mailbox, flags, keywords, internalDate]) => ({
        mailbox: this.#mailboxes.get(mailbox)!.target,
        ...{ flags, internalDate },
        keywords: keywords === 0 ? [] : this.#keywords(mailbox, keywords),
      }))
  }

  #keywords(mailbox: number, bits: number): string[] {
    return this.#sql
      .all<readonly [number, string]>(
        'SELECT bit, name FROM main.keyword WHERE account = ? AND mailbox = ? ORDER BY bit',
        this.#account,
        mailbox,
      )
      .filter(([bit]) => ((bits >>> bit) & 1) === 1)
      .map(([, name]) => name)
  }

  #isSubscribed(name: string): boolean {
    return (
      this.#sql.get('SELECT 1 FROM main.subscription WHERE account = ? AND name = ?', this.#account, name) !==
      undefined
    )
  }
}

function placesOf(folder: string, { segments }: Manifest): BodyPlaces {
  const files = new Map(segments.map(({ segment, file }) => [segment, join(folder, file)]))
  return {
    segment: (segment) => files.get(segment) ?? null,
    big: (file) => join(folder, 'big', file),
  }
}
