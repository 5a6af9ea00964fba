import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { silentLog } from '../base/log.ts'
import { controlPath } from './control-path.ts'
import { controlRequestOctets, openControlSocket } from './control-socket.ts'

const echo = async () => ({
  async fetch(asked: Request) {
    return Response.json({
      method: asked.method,
      path: new URL(asked.url).pathname,
      body: await asked.text(),
    })
  },
})

function ask(socketPath: string, method: string, body = ''): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path: '/v1/x', agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

test('the control socket serves its owner, and is gone afterwards', async (t) => {
  const path = join(temporaryFolder(t), 'control.sock')
  const control = await openControlSocket(path, echo, silentLog)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const answer = await ask(path, 'POST', 'ketchup')
  assert.deepEqual(JSON.parse(answer.text), { method: 'POST', path: '/v1/x', body: 'ketchup' })
  assert.equal((await ask(path, 'GET')).status, 200)
  await control.close()
  assert.equal(existsSync(path), false)
})

test('a socket that a dead process has left is replaced', async (t) => {
  const path = join(temporaryFolder(t), 'control.sock')
  const dead = createServer().listen(path)
  await once(dead, 'listening')
  t.after(() => dead.close())
  const control = await openControlSocket(path, echo, silentLog)
  assert.equal((await ask(path, 'GET')).status, 200)
  await control.close()
})

test('a request over the bound is refused', async (t) => {
  const control = await openControlSocket(join(temporaryFolder(t), 'control.sock'), echo, silentLog)
  t.after(() => control.close())
  assert.equal((await ask(control.path, 'POST', 'x'.repeat(controlRequestOctets + 1))).status, 413)
})

test('an app that fails costs one request only', async (t) => {
  const failing = async () => ({
    fetch: (): Response => {
      throw new Error('oh')
    },
  })
  const control = await openControlSocket(join(temporaryFolder(t), 'control.sock'), failing, silentLog)
  t.after(() => control.close())
  await assert.rejects(ask(control.path, 'GET'))
  await assert.rejects(ask(control.path, 'GET'))
})

test('a data folder with a path too long for a socket has a short one elsewhere', async (t) => {
  const folder = join(temporaryFolder(t), 'deep'.repeat(30))
  mkdirSync(folder)
  const path = controlPath(folder)
  assert.ok(Buffer.byteLength(path) < 104, path)
  assert.equal(path, controlPath(folder))
  assert.notEqual(path, controlPath(`${folder}x`))
  const control = await openControlSocket(path, echo, silentLog)
  assert.equal((await ask(path, 'GET')).status, 200)
  await control.close()
})
