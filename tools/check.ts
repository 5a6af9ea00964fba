/**
 * `npm run check`: everything about the checkout that can be judged without running it.
 * Prints each problem under the name of its check and ends with 1 when there is any.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkDirections } from './checks/directions.ts'
import type { Lockfile, Manifest } from './checks/packages.ts'
import { checkComplete, checkPackageImports, checkScripts, checkVersions } from './checks/packages.ts'
import { checkStyle, checkTypes } from './checks/programs.ts'
import { checkSizes } from './checks/sizes.ts'
import { readSourceFiles } from './checks/source-files.ts'

export interface CheckResult {
  readonly name: string
  /** Empty when all is well; else texts of a line or many. */
  readonly problems: readonly string[]
}

/** Runs every check on the checkout at `root`, the slow ones at the same time. */
export async function checkAll(root: string): Promise<CheckResult[]> {
  const files = readSourceFiles(root)
  const manifest = readJson<Manifest>(root, 'package.json')
  const lockfile = readJson<Lockfile>(root, 'package-lock.json')
  const programs = Promise.all([checkTypes(root), checkStyle(root)])
  const own = [
    { name: 'imports go one way', problems: checkDirections(files) },
    { name: 'files and functions are short', problems: checkSizes(files) },
    { name: 'imported packages are declared', problems: checkPackageImports(files, manifest) },
    { name: 'versions are exact', problems: checkVersions(manifest, lockfile) },
    { name: 'lockfile is complete', problems: checkComplete(lockfile) },
    { name: 'no install scripts', problems: checkScripts(lockfile) },
  ]
  const [types, style] = await programs
  return [
    { name: 'types', problems: types },
    { name: 'lint and format (npm run format)', problems: style },
    ...own,
  ]
}

function readJson<T>(root: string, name: string): T {
  return JSON.parse(readFileSync(join(root, name), 'utf8')) as T
}

/** The problems as text, a paragraph for each check; empty when there are none. */
export function describeResults(results: readonly CheckResult[]): string {
  return results
    .filter(({ problems }) => problems.length > 0)
    .map(({ name, problems }) => `✖ ${name}\n${problems.join('\n').replace(/^(?=.)/gm, '  ')}\n`)
    .join('\n')
}

if (import.meta.main) {
  const results = await checkAll(join(import.meta.dirname, '..'))
  const text = describeResults(results)
  console.log(text === '' ? `✔ ${results.map(({ name }) => name).join(', ')}` : text)
  process.exitCode = text === '' ? 0 : 1
}
