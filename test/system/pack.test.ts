/** The published package, installed as a stranger would: packed, installed from the tarball, run by an older Node.js. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { runProcess } from '../harness/process.ts'
import { skipLoudly } from '../harness/programs.ts'
import { temporaryFolder } from '../harness/temp.ts'

const root = join(import.meta.dirname, '..', '..')
const PACKED = [
  'bin',
  'src',
  'tools',
  'docs',
  'web',
  'package.json',
  'package-lock.json',
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
]

/** The machine's own programs: `npm test` puts those of node_modules/.bin before them. */
const machinePath = (process.env['PATH'] ?? '')
  .split(':')
  .filter((folder) => !folder.endsWith('node_modules/.bin'))

/** Runs a program as in a new shell, outside of npm. */
async function shell(t: TestContext, cwd: string, command: string, ...args: string[]): Promise<string> {
  const clean = Object.keys(process.env).filter((name) => /^npm_|^NODE_/.test(name))
  const unset = clean.flatMap((name) => ['-u', name])
  const path = `PATH=${machinePath.join(':')}`
  const result = await runProcess(t, 'env', [...unset, path, command, ...args], { cwd })
  assert.equal(result.code, 0, `${command} ${args.join(' ')}\n${result.stdout}\n${result.stderr}`)
  return result.stdout
}

test('npm pack makes a package that npm installs and the machine’s own Node.js starts', async (t) => {
  if (!existsSync(join(root, 'src', 'cli', 'main.ts')))
    return skipLoudly(t, 'pack.test.ts needs src/cli/main.ts')
  const folder = temporaryFolder(t)
  const [checkout, home] = [join(folder, 'checkout'), join(folder, 'home')]
  for (const path of PACKED) {
    const filter = (source: string): boolean => !/node_modules|\.cache/.test(source.slice(root.length))
    if (existsSync(join(root, path)))
      cpSync(join(root, path), join(checkout, path), { recursive: true, filter })
  }
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{ "name": "home", "private": true }')

  await shell(t, checkout, 'npm', 'pack', '--pack-destination', folder)
  const tarball = join(folder, 'posthorn-0.1.0.tgz')
  assert.ok(!existsSync(join(checkout, 'dist')), 'postpack cleans up')
  const list = (await shell(t, folder, 'tar', '-tzf', tarball)).split('\n')
  assert.ok(list.includes('package/dist/cli/main.js'))
  assert.deepEqual(
    list.filter((name) => /\.test\.|\.ts$|^package\/src/.test(name)),
    [],
  )

  await shell(
    t,
    home,
    'npm',
    'install',
    '--prefer-offline',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    tarball,
  )
  const version = await shell(t, home, join(home, 'node_modules', '.bin', 'posthorn'), '--version')
  assert.match(version, /\b0\.1\.0\b/)
})
