import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openForReading } from '../database.ts'
import { bigFiles } from './big-copies.ts'
import { manifestFile, syncFolder, tablesFile } from './layout.ts'
import { completeNames, readManifest } from './manifest.ts'

/**
 * Removes the oldest backups beyond those that are kept, and the segments and large bodies that no backup needs any more.
 * Nothing shared is removed while a backup cannot say what it needs.
 *
 * @param keep Complete ones; null: all.
 * @returns Names of those removed.
 */
export function prune(folder: string, keep: number | null): string[] {
  const names = completeNames(folder)
  const removed = keep === null ? [] : names.slice(0, Math.max(0, names.length - keep))
  for (const name of removed) {
    // First what makes it a backup: an interruption leaves none that lacks something.
    rmSync(join(folder, name, manifestFile))
    syncFolder(join(folder, name))
    rmSync(join(folder, name), { recursive: true, force: true })
  }
  removeUnneeded(folder, completeNames(folder))
  return removed
}

function removeUnneeded(folder: string, names: readonly string[]): void {
  const segments = new Set<string>()
  try {
    for (const name of names) for (const { file } of readManifest(folder, name).segments) segments.add(file)
  } catch {
    return
  }
  const seg = join(folder, 'seg')
  if (existsSync(seg)) {
    for (const file of readdirSync(seg)) if (!segments.has(`seg/${file}`)) rmSync(join(seg, file))
  }
  removeUnneededBodies(folder, names)
}

function removeUnneededBodies(folder: string, names: readonly string[]): void {
  const tables = names.map((name) => openForReading(join(folder, name, tablesFile)))
  try {
    for (const sql of tables) sql.get('SELECT 1 FROM blob LIMIT 1')
    for (const file of bigFiles(folder)) {
      const needed = tables.some(
        (sql) => sql.get('SELECT 1 FROM blob WHERE file = ? LIMIT 1', file) !== undefined,
      )
      if (!needed) rmSync(join(folder, 'big', file))
    }
  } catch {
    // Tables that cannot be read: `verify` says so. What they need is not known, so everything stays.
  } finally {
    for (const sql of tables) sql.close()
  }
}
