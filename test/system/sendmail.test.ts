/** Programs that hand their mail to a sendmail are content with ours. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runProcess, startPosthorn } from '../harness/process.ts'
import { requirePrograms } from '../harness/programs.ts'
import { temporaryFolder } from '../harness/temp.ts'

const root = join(import.meta.dirname, '..', '..')

/** A data folder with Bob, and a sendmail that leads to it. */
async function setUp(t: TestContext) {
  const folder = temporaryFolder(t)
  const config = join(folder, 'posthorn.toml')
  writeFileSync(config, `hostname = "mail.hamburger.edu"\n`)
  const env = { XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder, HOME: folder, TERM: 'dumb' }
  async function run(args: string[], input = '') {
    const running = startPosthorn(t, ['--config', config, ...args], { cwd: folder, env, input })
    const { code } = await running.ended
    assert.equal(code, 0, running.stderr)
    return running.stdout
  }
  await run(['domain', 'add', 'hamburger.edu'])
  await run(['account', 'add', 'bob@hamburger.edu'], 'hungry\n')
  return { folder, env, run, sendmail: linkSendmail(folder, config) }
}

/** As docs/operating.md says it for /usr/sbin/sendmail. */
function linkSendmail(folder: string, config: string): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  symlinkSync(join(root, 'bin', 'posthorn'), join(bin, 'posthorn'))
  const file = join(bin, 'sendmail')
  const command = `${process.execPath} ${join(bin, 'posthorn')} --config ${config} sendmail "$@"`
  writeFileSync(file, `#!/bin/sh\nexec ${command}\n`)
  chmodSync(file, 0o755)
  return file
}

test('mutt sends by it', async (t) => {
  if (!(await requirePrograms({ debian: { mutt: 'mutt' } }, t))) return
  const { folder, env, run, sendmail } = await setUp(t)
  const rc = join(folder, 'muttrc')
  const lines = [
    `set sendmail="${sendmail} -oem -oi"`,
    'set from="bob@hamburger.edu"',
    'set use_envelope_from=yes',
    'set copy=no',
    'set dsn_notify="failure,delay"',
  ]
  writeFileSync(rc, lines.map((line) => `${line}\n`).join(''))
  const args = ['-F', rc, '-s', 'Grüße', '-b', 'eve@crepes.fr', '--', 'bob@hamburger.edu', 'alice@crepes.fr']
  const sent = await runProcess(t, 'mutt', args, { input: 'From mutt\n.\nend\n', env })
  assert.equal(sent.code, 0, sent.stderr + sent.stdout)
  await run(['export', 'bob@hamburger.edu', join(folder, 'mail'), '--format', 'eml'])
  const found = await runProcess(t, 'sh', ['-c', `find ${folder}/mail -name '*.eml' | xargs cat`])
  const text = found.stdout.replaceAll('\r', '')
  assert.match(text, /^Return-Path: <bob@hamburger\.edu>\n[\s\S]*\n\nFrom mutt\n\.\nend\n$/)
  assert.doesNotMatch(text, /eve@/)
  assert.match(await run(['queue', 'ls']), /bob@hamburger\.edu +2 at crepes\.fr/)
})
