/**
 * `npm test`: installs what is missing, then runs every test file under the bundled runtime.
 *
 *   npm test                         everything, `npm run check` among it
 *   npm test -- --only PATTERN       files whose path contains PATTERN (a bare word means the same; may be repeated)
 *   npm test -- --no-check           without types, lint and our own checks
 *   npm test -- --install            may install system programs that suites want; CI=true allows it too
 *   npm test -- --test-name-pattern=X   any other option goes to `node --test`
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { REQUIRED_MAJOR, runWith } from '../bin/runtime.mjs'
import { ensureInstalled } from './install.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const CHECK = 'tools/check.test.ts'
const FOLDERS = ['tools', 'src', 'examples', 'test']
const CONCURRENCY = 2
const TEST_TIMEOUT_MS = 300_000

function readArguments(args) {
  const options = { only: [], check: true, install: process.env.CI === 'true', forNode: [] }
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]
    if (arg === '--only') options.only.push(args[++index] ?? '')
    else if (arg === '--no-check') options.check = false
    else if (arg === '--install') options.install = true
    else if (arg.startsWith('-')) options.forNode.push(arg)
    else options.only.push(arg)
  }
  return options
}

/** Every `*.test.ts` under a folder, as paths from the root with `/`. */
function testFiles(folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testFiles(path)
      return entry.name.endsWith('.test.ts') ? [path] : []
    })
}

function chooseFiles(options) {
  const files = FOLDERS.flatMap(testFiles).filter((file) => file !== CHECK)
  if (options.check) files.unshift(CHECK) // first, because it is the longest and says most
  return files.filter((file) => options.only.length === 0 || options.only.some((part) => file.includes(part)))
}

function assertRuntime(runtime) {
  const version = spawnSync(runtime, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? 'nothing'
  if (Number(/^v(\d+)\./.exec(version)?.[1]) >= REQUIRED_MAJOR) return
  console.error(
    `npm test: ${runtime} is ${version}, but tests need Node.js ${REQUIRED_MAJOR}; remove node_modules and try again`,
  )
  process.exit(1)
}

/** What suites under test/system wrote down as not run, each line once. */
function readSkipped(file) {
  if (!existsSync(file)) return []
  return [...new Set(readFileSync(file, 'utf8').split('\n'))].filter((line) => line !== '').sort()
}

async function main() {
  const options = readArguments(process.argv.slice(2))
  const runtime = ensureInstalled()
  assertRuntime(runtime)
  const files = chooseFiles(options)
  if (files.length === 0) {
    console.error(`npm test: no test file's path contains ${options.only.join(' or ')}`)
    return 1
  }
  const runFolder = mkdtempSync(join(tmpdir(), 'posthorn-run-'))
  const skippedFile = join(runFolder, 'skipped')
  const summaryFile = join(runFolder, 'summary.json')
  const environment = { ...process.env, POSTHORN_SKIPPED: skippedFile, POSTHORN_SUMMARY: summaryFile }
  if (options.install) environment.POSTHORN_INSTALL = '1'
  process.chdir(root)
  const reporter = `--test-reporter=${join(root, 'tools', 'reporter.mjs')}`
  const limits = [`--test-concurrency=${CONCURRENCY}`, `--test-timeout=${TEST_TIMEOUT_MS}`]
  const nodeArgs = ['--test', ...limits, reporter, '--test-reporter-destination=stdout']
  let code = await runWith(runtime, [...nodeArgs, ...options.forNode, ...files], environment)

  const skipped = readSkipped(skippedFile)
  if (skipped.length > 0) console.log(`\n!!! DID NOT RUN: ${skipped.join('; ')} !!!`)
  if (skipped.length > 0 && process.env.CI === 'true') {
    console.log('With CI=true nothing may be missing, so this run fails.')
    code ||= 1
  }
  const summary = existsSync(summaryFile) ? JSON.parse(readFileSync(summaryFile, 'utf8')) : null
  rmSync(runFolder, { recursive: true, force: true })
  if (summary === null) console.log('The test run was cut short.')
  else console.log(`\n${summary.passed} passed, ${summary.failed} failed`)
  return summary === null || summary.failed > 0 ? code || 1 : code
}

process.exitCode = await main()
