/** Lists and reads the files that our own checks look at. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface SourceFile {
  /** From the root, with `/`: `src/base/clock.ts`. */
  readonly path: string
  readonly text: string
}

const FOLDERS = ['bin', 'src', 'test', 'tools', 'bench', 'examples', 'web']
const SKIPPED = new Set(['node_modules', '.cache', 'dist', 'corpus'])
const CODE = /\.(?:ts|tsx|mts|mjs|js|css)$/

/** Every code file below the folders of the checkout, in a stable order. */
export function readSourceFiles(root: string): SourceFile[] {
  return FOLDERS.filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => listFiles(root, folder))
    .filter((path) => CODE.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** Every file below a folder, as paths from the root. */
export function listFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (SKIPPED.has(entry.name)) return []
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return listFiles(root, path)
      return entry.isFile() ? [path] : []
    })
}
