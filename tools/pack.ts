/**
 * Makes dist/, the JavaScript that a published package runs: Node.js strips no types under node_modules.
 *
 *   node tools/run.mjs tools/pack.ts            makes dist/ from src/
 *   node tools/run.mjs tools/pack.ts --clean    removes it
 *
 * Lines and columns stay where they were, since stripping puts blanks in place of types. A string that names a
 * .ts file of ours by a relative path becomes one that names the .js file, whatever it is used for: imports,
 * `new URL('./x.ts', import.meta.url)`, the path of a worker.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { listFiles } from './checks/source-files.ts'
import { tokenize, unquote } from './checks/tokens.ts'

const NOT_PACKED = /\.test\.tsx?$|\.d\.ts$|-fixture\.ts$|(?:^|\/)(?:fixtures\/|scripted-|fake-)/

/** Writes `to` anew from everything below `from` that is not a test. */
export function pack(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  for (const path of listFiles(from, '.')) {
    if (NOT_PACKED.test(path)) continue
    const source = join(from, path)
    const target = join(to, path.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    if (path.endsWith('.ts')) writeFileSync(target, toJavaScript(readFileSync(source, 'utf8'), source))
    else writeFileSync(target, readFileSync(source))
  }
}

/**
 * Strips the types and renames the files it names.
 *
 * @param path Where the source is, to see which files exist beside it.
 * @throws {Error} A template builds the name of a .ts file, which we cannot follow.
 */
export function toJavaScript(source: string, path: string): string {
  const code = stripTypeScriptTypes(source, { mode: 'strip' })
  let result = ''
  let copied = 0
  for (const token of tokenize(code)) {
    if (token.kind === 'template' && token.text.endsWith('.ts`')) {
      throw new Error(`${path}:${token.line}: names a .ts file in a template; write it as a string`)
    }
    if (token.kind !== 'string' || !namesSource(unquote(token), path)) continue
    const end = token.start + token.text.length
    result += `${code.slice(copied, end - '.ts'.length - 1)}.js${code.slice(end - 1, end)}`
    copied = end
  }
  return result + code.slice(copied)
}

function namesSource(text: string, path: string): boolean {
  return /^\.\.?\/.*\.ts$/.test(text) && existsSync(resolve(dirname(path), text))
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  const dist = join(root, 'dist')
  if (process.argv.includes('--clean')) rmSync(dist, { recursive: true, force: true })
  else pack(join(root, 'src'), dist)
}
