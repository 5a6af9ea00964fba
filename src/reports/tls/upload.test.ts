import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Target } from '../../base/dialler.ts'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { mapResolver } from '../../dns/map-resolver.ts'
import { issueCertificate, makeAuthority } from '../../tls/certificate.ts'
import { upload } from './upload.ts'

const making = { nowMs: Date.now(), random: systemRandom }
const authority = makeAuthority('Uploads', making)
const content = Buffer.from('a report')

/** A server for reports.example that answers so; and what it heard. */
async function serve(t: TestContext, status: number, name = 'reports.example') {
  const { certificate: cert, key } = issueCertificate(authority, { hostnames: [name] }, making)
  const heard: { line: string; type: string; body: string }[] = []
  const server = createServer({ cert, key }, (request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      heard.push({
        line: `${request.method} ${request.url}`,
        type: String(request.headers['content-type']),
        body,
      })
      response.writeHead(status, { Location: 'https://elsewhere.example/' }).end('thanks')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const dialled: Target[] = []
  const world = {
    resolver: mapResolver({ 'reports.example': { A: ['192.0.2.7'] } }),
    clock: systemClock,
    authorities: [authority.certificate],
    async dialler(target: Target) {
      dialled.push(target)
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      return socket
    },
  }
  return { heard, dialled, send: (url: string) => upload(world, url, content, 'application/tlsrpt+gzip') }
}

test('RFC 8460: a report is posted to the host that the record names', async (t) => {
  const { heard, dialled, send } = await serve(t, 202)
  await send('https://reports.example/v1/tls?x=1')
  assert.deepEqual(heard, [{ line: 'POST /v1/tls?x=1', type: 'application/tlsrpt+gzip', body: 'a report' }])
  assert.deepEqual(dialled, [{ hostname: 'reports.example', address: '192.0.2.7', port: 443 }])
})

test('what is not taken is an error, and no redirect is followed', async (t) => {
  for (const status of [301, 404, 503]) {
    const { dialled, send } = await serve(t, status)
    await assert.rejects(send('https://reports.example/'), new RegExp(`answered ${status}`))
    assert.equal(dialled.length, 1)
  }
})

test('nothing is posted to another host, to an address, or to a name without one', async (t) => {
  const { heard, dialled, send } = await serve(t, 200, 'somebody.else')
  await assert.rejects(send('https://reports.example/'), /altnames|certificate/i)
  await assert.rejects(send('https://192.0.2.7/'), /no address/)
  await assert.rejects(send('https://[2001:db8::1]/'), /no address/)
  await assert.rejects(send('https://nowhere.example/'), /no address/)
  assert.deepEqual([heard.length, dialled.length], [0, 1])
})
