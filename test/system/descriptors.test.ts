/** A server that has used up its file descriptors answers who is there, and others again when there is room. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseEndpoint } from '../../src/daemon/endpoint-text.ts'
import { startProcess } from '../harness/process.ts'
import { speakTo } from '../harness/replay.ts'
import { temporaryFolder } from '../harness/temp.ts'

test('without descriptors new connections are hung up on, and the door recovers', async (t) => {
  const folder = temporaryFolder(t)
  const config = join(folder, 'posthorn.toml')
  const bounds = '[limits]\nconnections_per_address = 1000\n[guards]\ntrusted = ["127.0.0.1"]\n'
  writeFileSync(
    config,
    `hostname = "mail.one.example"\ndata = "data"\n[listen]\nsmtp = ["127.0.0.1:0"]\n${bounds}`,
  )
  const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
  const command = `ulimit -n 256 && exec "$0" "$@"`
  const args = [process.execPath, main, 'serve', '--config', config, '--json']
  const server = startProcess(t, 'bash', ['-c', command, ...args])
  const { servers } = await server.json<{ servers: [{ smtp: string }] }>('ready')
  const endpoint = parseEndpoint(servers[0].smtp)
  const early = await speakTo(endpoint)
  await early.expect('220 mail.one.example ESMTP')

  const crowd: Socket[] = []
  t.after(() => {
    for (const socket of crowd) socket.destroy()
  })
  /** @returns Whether it was greeted; false when it was hung up on. */
  async function visit(): Promise<boolean> {
    const socket = connect(endpoint.port, endpoint.address)
    crowd.push(socket)
    const greeted = new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true))
      socket.once('close', () => resolve(false))
      socket.on('error', () => {})
    })
    return greeted
  }
  let greeted = 0
  while (await visit()) assert.ok(++greeted < 300, 'the limit was never reached')
  assert.ok(greeted > 10)
  early.send('NOOP\r\n')
  await early.expect('250 <…>')
  assert.equal(await visit(), false)

  for (const socket of crowd.splice(0)) {
    if (socket.destroyed) continue
    socket.destroy()
    await once(socket, 'close')
  }
  // Who closed is noticed in the server's own time; a door that never comes back ends the test by its time limit.
  while (!(await visit()));
  early.socket.destroy()
})
