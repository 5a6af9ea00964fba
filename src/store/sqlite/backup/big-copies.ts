import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Sql } from '../database.ts'
import { copyFile } from './copy-file.ts'
import { makePrivateFolder, partSuffix, syncFolder } from './layout.ts'
import { isOurDisk } from './segment-copies.ts'

const rowsAtOnce = 500

interface BigSource {
  readonly shard: string
  /** Of all backups. */
  readonly folder: string
  copied(octets: number): void
}

/** The large bodies that a backup needs. Their names are random and never used again, so a name says what is in it. */
export class BigCopies {
  readonly #source: BigSource
  readonly #folders = new Set<string>()
  readonly missing: string[] = []
  count = 0
  octets = 0
  written = 0
  octetsWritten = 0

  constructor(source: BigSource) {
    this.#source = source
  }

  /** @param sql The tables that name them. */
  copyAll(sql: Sql): void {
    for (const [file, octets] of largeBodies(sql)) {
      try {
        this.#keep(file, octets)
        this.count++
        this.octets += octets
      } catch (error) {
        if (isOurDisk(error)) throw error
        this.missing.push(`big/${file}: ${(error as Error).message}`)
      }
    }
    for (const folder of this.#folders) syncFolder(folder)
    if (this.#folders.size > 0) syncFolder(join(this.#source.folder, 'big'))
  }

  #keep(file: string, octets: number): void {
    const { shard, folder, copied } = this.#source
    const to = join(folder, 'big', file)
    if (existsSync(to) && statSync(to).size === octets) {
      copied(octets)
      return
    }
    const within = join(folder, 'big', file.slice(0, file.indexOf('/')))
    makePrivateFolder(within)
    this.#folders.add(within)
    copyFile(join(shard, 'big', file), to, octets, copied)
    this.written++
    this.octetsWritten += octets
  }
}

/** Each file that the tables name, once, with its length. */
export function* largeBodies(sql: Sql): Generator<readonly [string, number]> {
  for (let after = ''; ; ) {
    const rows = sql.all<readonly [string, number]>(
      `SELECT file, max(stored) FROM blob WHERE file IS NOT NULL AND file > ? GROUP BY file ORDER BY file LIMIT ${rowsAtOnce}`,
      after,
    )
    yield* rows
    if (rows.length < rowsAtOnce) return
    after = rows.at(-1)![0]
  }
}

/** Files of large bodies that lie below a folder, without those that are not whole. */
export function* bigFiles(folder: string): Generator<string> {
  const big = join(folder, 'big')
  if (!existsSync(big)) return
  for (const within of readdirSync(big)) {
    if (!/^[0-9a-f]{2}$/.test(within)) continue
    for (const file of readdirSync(join(big, within)))
      if (!file.endsWith(partSuffix)) yield `${within}/${file}`
  }
}
