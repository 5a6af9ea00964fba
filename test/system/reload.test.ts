/** What SIGHUP, `posthorn reload` and SIGTERM do to a server that runs. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Endpoint } from '../../src/base/config.ts'
import { parseEndpoint } from '../../src/daemon/endpoint-text.ts'
import { runProcess, startPosthorn } from '../harness/process.ts'
import { speakTo } from '../harness/replay.ts'
import { temporaryFolder } from '../harness/temp.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')

async function start(t: TestContext, more = '') {
  const config = join(temporaryFolder(t), 'posthorn.toml')
  const write = (name: string, more: string): void => {
    const listen = '[listen]\nsmtp = ["127.0.0.1:0"]\n'
    writeFileSync(config, `hostname = "${name}"\ndata = "data"\n${listen}${more}`)
  }
  write('mail.one.example', more)
  const server = startPosthorn(t, ['serve', '--config', config, '--json'])
  const { servers } = await server.json<{ servers: [{ smtp: string }] }>('ready')
  const endpoint = parseEndpoint(servers[0].smtp)
  const reload = () => runProcess(t, process.execPath, [main, 'reload', '--config', config, '--json'])
  return { server, endpoint, write, reload }
}

/** What EHLO says about SIZE in a new session. */
async function sizeAt(endpoint: Endpoint): Promise<string> {
  const speaker = await speakTo(endpoint)
  await speaker.expect('220 mail.one.example ESMTP')
  const { socket } = speaker
  const chunks: string[] = []
  const said = new Promise<string>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(String(chunk))
      if (chunks.join('').includes('\r\n250 ')) resolve(chunks.join(''))
    })
  })
  socket.write('EHLO client.example\r\n')
  const size = /SIZE (\d+)/.exec(await said)?.[1] ?? ''
  socket.destroy()
  return size
}

test('posthorn reload says what is in force and what needs a restart; a broken file changes nothing', async (t) => {
  const { endpoint, write, reload } = await start(t)
  assert.equal(await sizeAt(endpoint), '50000000')
  write('mail.two.example', '[limits]\nmessage_octets = 70000\nundelete_ms = 5\n[log]\nlevel = "debug"\n')
  const done = JSON.parse((await reload()).stdout) as { changed: string[]; needsRestart: string[] }
  assert.deepEqual(done.changed, ['log', 'limits.message_octets'])
  assert.deepEqual(done.needsRestart, ['hostname', 'limits.undelete_ms'])
  assert.equal(await sizeAt(endpoint), '70000')
  for (const broken of ['[limits]\nmessage_octets = "many"\n', '[tls]\ncertificate = "no"\nkey = "no"\n']) {
    write('mail.one.example', broken)
    const { code, stderr } = await reload()
    assert.notEqual(code, 0)
    assert.match(stderr, /message_octets is|Cannot read .*no/)
    assert.equal(await sizeAt(endpoint), '70000')
  }
})

test('SIGHUP: a network that the file bans is not let in, and is again when it no longer does', async (t) => {
  const { server, endpoint, write } = await start(t)
  for (const [more, greeting] of [
    ['[guards]\nbanned = ["127.0.0.0/8"]\n', '421 4.7.0 <…>'],
    ['', '220 mail.one.example ESMTP'],
  ] as const) {
    write('mail.one.example', more)
    const said = server.stderr.length
    server.signal('SIGHUP')
    while (!server.stderr.slice(said).includes('read anew'))
      await new Promise((resolve) => setImmediate(resolve))
    const speaker = await speakTo(endpoint)
    await speaker.expect(greeting)
    speaker.socket.destroy()
  }
})

/** Opens a session and brings it into the middle of a message, which is thrown away once it has been taken. */
async function midMessage(endpoint: Endpoint) {
  const speaker = await speakTo(endpoint)
  await speaker.expect('220 mail.one.example ESMTP')
  speaker.send('HELO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@gone.example>\r\nDATA\r\n')
  for (const reply of ['250 <…>', '250 <…>', '250 <…>', '354 <…>']) await speaker.expect(reply)
  speaker.send('Subject: half\r\n\r\n')
  return speaker
}

const discard = '[routes]\n"gone.example" = "discard"\n[guards]\ntrusted = ["127.0.0.1"]\n'

test('SIGTERM: 421 to who is idle, a message under way is taken, nobody new is served, and the code is 0', async (t) => {
  const { server, endpoint } = await start(t, discard)
  const idle = await speakTo(endpoint)
  await idle.expect('220 mail.one.example ESMTP')
  const busy = await midMessage(endpoint)
  server.signal('SIGTERM')
  await idle.expect('421 <…>')
  const [error] = (await once(connect(endpoint.port, endpoint.address), 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNREFUSED')
  busy.send('.\r\n')
  await busy.expect('250 <…>')
  await busy.expect('421 <…>')
  assert.equal((await server.ended).code, 0)
})

test('a second SIGTERM ends the server at once', async (t) => {
  const { server, endpoint } = await start(t, discard)
  const idle = await speakTo(endpoint)
  await idle.expect('220 mail.one.example ESMTP')
  await midMessage(endpoint)
  server.signal('SIGTERM')
  await idle.expect('421 <…>')
  server.signal('SIGTERM')
  assert.equal((await server.ended).code, 143)
})
