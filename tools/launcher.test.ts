import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { temporaryFolder } from '../test/harness/temp.ts'

const root = join(import.meta.dirname, '..')

/** A checkout that has our launcher and a main.ts of its own. */
function makeCheckout(t: TestContext, main: string): string {
  const folder = temporaryFolder(t)
  for (const path of ['bin', 'tools', 'package.json', 'package-lock.json']) {
    cpSync(join(root, path), join(folder, path), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  mkdirSync(join(folder, 'src', 'cli'), { recursive: true })
  writeFileSync(join(folder, 'src', 'cli', 'main.ts'), main)
  return join(folder, 'bin', 'posthorn')
}

/** The machine's own Node.js, if it is older than ours; `npm test` puts ours first in PATH. */
const nodes = [...new Set([process.execPath, ...oldNodes()])]

function oldNodes(): string[] {
  const path = process.env['PATH']?.split(':').filter((folder) => !folder.endsWith('node_modules/.bin'))
  const found = spawnSync('node', ['-p', 'process.execPath'], {
    env: { ...process.env, PATH: path?.join(':') },
    encoding: 'utf8',
  })
  return found.status === 0 ? [found.stdout.trim()] : []
}

for (const node of nodes) {
  test(`the word start means the Lab unless a command follows it (${node})`, (t) => {
    const launcher = makeCheckout(
      t,
      'const args: string[] = process.argv.slice(2)\nconsole.log(args.join(" "))\n',
    )
    const table: [string, string][] = [
      ['start', 'lab'],
      ['start --json', 'lab --json'],
      ['start --help', '--help'],
      ['start serve --config x', 'serve --config x'],
      ['account add', 'account add'],
      ['', ''],
    ]
    for (const [words, expected] of table) {
      const result = spawnSync(node, [launcher, ...words.split(' ').filter(Boolean)], { encoding: 'utf8' })
      assert.deepEqual([result.stdout, result.stderr, result.status], [`${expected}\n`, '', 0])
    }
  })

  test(`a server has from its start what keeps its memory small (${node})`, (t) => {
    const main =
      'console.log(process.env.MALLOC_MMAP_THRESHOLD_, process.env.NODE_COMPILE_CACHE !== undefined)\n'
    const result = spawnSync(node, [makeCheckout(t, main), 'serve'], { encoding: 'utf8' })
    assert.deepEqual(
      [result.stdout, result.stderr],
      [process.platform === 'linux' ? '1048576 true\n' : result.stdout, ''],
    )
  })

  test(`signals reach the program, and its exit code comes back (${node})`, async (t) => {
    const launcher = makeCheckout(
      t,
      `process.on('SIGTERM', () => process.exit(7))
      console.log('ready')
      if (process.argv.includes('die')) process.kill(process.pid, 'SIGKILL')
      setInterval(() => {}, 1000)`,
    )
    const child = spawn(node, [launcher], { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.once('data', () => child.kill('SIGTERM'))
    const code = await new Promise((resolve) => child.on('exit', resolve))
    assert.equal(code, 7)
    const died = spawnSync(node, [launcher, 'die'])
    assert.ok(died.status === 137 || died.signal === 'SIGKILL') // the second: ours ran it in the same process
  })
}

test('with everything installed, installing again does nothing and takes no time', () => {
  const script = `import { ensureInstalled } from './tools/install.mjs'; console.log(ensureInstalled())`
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.equal(result.stderr, '')
  assert.match(result.stdout, /bin\/node\n$/)
})
