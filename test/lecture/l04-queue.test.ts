/** L4: a mail server keeps a queue of the messages that are to be sent. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ReadyLine } from '../../src/daemon/ready-line.ts'
import { endpointOf } from '../harness/lab.ts'
import { freePort } from '../harness/ports.ts'
import { startPosthorn } from '../harness/process.ts'
import { type Cleanup, temporaryFolder } from '../harness/temp.ts'
import { bobHas, doorsOf, letter, openStage, posthorn, says, saysJson, submit, waitFor } from './stage.ts'

interface QueueListing {
  readonly entries: readonly {
    readonly queueId: number
    readonly reversePath: string
    readonly domain: string
    readonly attempts: number
    readonly recipients: readonly { readonly forwardPath: string; readonly state: string }[]
    readonly server?: string
  }[]
}

test('L4 a letter waits in the queue of crepes.fr while nobody answers at hamburger.edu', async (t) => {
  const { lab, env } = await openStage(t, 'today')
  const down = { address: '127.0.0.1', port: await freePort() }
  lab.redirect('mail.hamburger.edu:25', down)
  await submit(doorsOf(lab.line, 'crepes.fr').submission, [letter('Patience')])
  const [waiting] = await waitFor(async () => {
    const { entries } = await saysJson<QueueListing>(env, 'queue', 'ls')
    return (entries[0]?.attempts ?? 0) > 0 && entries
  }, 'the first attempt')
  assert.equal(waiting!.server, 'crepes.fr')
  assert.deepEqual([waiting!.reversePath, waiting!.domain], ['alice@crepes.fr', 'hamburger.edu'])
  assert.deepEqual(
    waiting!.recipients.map(({ forwardPath, state }) => [forwardPath, state]),
    [['bob@hamburger.edu', 'waiting']],
  )
  const shown = await says(env, 'queue', 'ls')
  assert.match(shown, /alice@crepes\.fr +bob@hamburger\.edu/)
  assert.match(await says(env, 'way', 'last'), /waits after 1 attempt/)
  assert.equal(await bobHas(lab), 2)

  lab.redirect('mail.hamburger.edu:25', doorsOf(lab.line, 'hamburger.edu').smtp)
  assert.match(await says(env, 'queue', 'retry'), /^Trying 1 again now\./)
  await waitFor(async () => (await bobHas(lab)) === 3, 'the letter')
  await waitFor(
    async () => (await says(env, 'queue', 'ls')) === 'The queue is empty: everything has left.\n',
    'an empty queue',
  )
})

interface Served {
  readonly submission: string
  kill(): Promise<unknown>
}

/** A server in a process of its own, as `posthorn serve` starts it. */
async function serve(t: Cleanup, config: string, env: Record<string, string>): Promise<Served> {
  const running = startPosthorn(t, ['serve', '--config', config, '--json'], { env })
  const ready = await running.json<ReadyLine & Record<string, unknown>>('ready')
  const [line] = ready.servers
  const kill = () => {
    running.signal('SIGKILL')
    return running.ended
  }
  return { submission: line!.submission!, kill }
}

function configFor(folder: string, domain: string, smtpPort: number, routes: string): string {
  const config = join(folder, `${domain}.toml`)
  writeFileSync(
    config,
    `hostname = "mail.${domain}"\ndata = "${domain}"\n` +
      `[listen]\nsmtp = ["127.0.0.1:${smtpPort}"]\nsubmission = ["127.0.0.1:0"]\n` +
      `[auth]\nplaintext = "loopback"\n[guards]\ntrusted = ["127.0.0.1"]\n${routes}`,
  )
  return config
}

test('L4 the queue outlives the processes: the sender is killed, the receiver comes up, the letter arrives', async (t) => {
  const folder = temporaryFolder(t)
  const env = { HOME: folder, TMPDIR: folder, XDG_RUNTIME_DIR: folder }
  const port = await freePort()
  const crepes = configFor(folder, 'crepes.fr', 0, `[routes]\n"hamburger.edu" = "127.0.0.1:${port}"\n`)
  const hamburger = configFor(folder, 'hamburger.edu', port, '')
  const settle = async (config: string, domain: string, person: string) => {
    const list = join(folder, domain + '.accounts')
    writeFileSync(list, person)
    await says(env, 'domain', 'add', domain, '--config', config)
    await says(env, 'account', 'add', '--from', list, '--config', config)
  }
  await Promise.all([
    settle(crepes, 'crepes.fr', 'alice@crepes.fr\tstrawberry\n'),
    settle(hamburger, 'hamburger.edu', 'bob@hamburger.edu\thungry\n'),
  ])
  const sender = await serve(t, crepes, env)
  await submit(endpointOf(sender.submission), [letter('By another process')])
  const queued = () => saysJson<QueueListing>(env, 'queue', 'ls', '--config', crepes)
  await waitFor(async () => ((await queued()).entries[0]?.attempts ?? 0) > 0, 'the first attempt')
  await sender.kill()
  // Nobody runs; the letter is on the disk.
  const { entries } = await queued()
  assert.equal(entries.length, 1)

  await Promise.all([serve(t, hamburger, env), serve(t, crepes, env)])
  await says(env, 'queue', 'retry', String(entries[0]!.queueId), '--config', crepes)
  await waitFor(async () => (await queued()).entries.length === 0, 'an empty queue')
  const way = await posthorn(env, 'way', 'last', '--config', hamburger)
  assert.match(way.stdout, /Filed +bob@hamburger\.edu: INBOX, UID 1/, way.stderr)
})
