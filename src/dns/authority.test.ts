import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { once } from 'node:events'
import { startAuthority } from './authority.ts'

const run = promisify(execFile)
const zones = [
  {
    origin: 'hamburger.example',
    records: {
      'hamburger.example': {
        MX: [{ preference: 10, exchange: 'mx.hamburger.example' }],
        TXT: ['z'.repeat(2_000)],
      },
      'mx.hamburger.example': { A: ['127.0.0.1'] },
    },
  },
]

test('it binds loopback only', async () => {
  for (const address of ['0.0.0.0', '::', '192.0.2.1', 'localhost', '127.0.0.1.example', '']) {
    await assert.rejects(startAuthority({ zones, address, port: 0 }), /only loopback is allowed/)
  }
})

test('a port that is taken is an error that names it', async () => {
  const first = await startAuthority({ zones, address: '127.0.0.1', port: 0 })
  const { port } = first.endpoint
  await assert.rejects(
    startAuthority({ zones, address: '127.0.0.1', port }),
    new RegExp(`127\\.0\\.0\\.1:${port}`),
  )
  await first.close()
})

test('a connection that sends half a question does not hold up closing', async () => {
  const authority = await startAuthority({ zones, address: '127.0.0.1', port: 0 })
  const socket = connect(authority.endpoint.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(Uint8Array.of(0, 50, 1))
  await once(socket, 'connect')
  await authority.close()
})

const dig = await run('dig', ['-v']).then(
  () => true,
  () => false,
)

test('dig understands it', { skip: dig ? false : 'dig is not installed' }, async () => {
  const authority = await startAuthority({ zones, address: '127.0.0.1', port: 0 })
  const ask = async (...args: string[]) => {
    const { port } = authority.endpoint
    return (await run('dig', ['@127.0.0.1', '-p', String(port), '+tries=1', '+norec', ...args])).stdout
  }
  assert.equal(await ask('+short', 'hamburger.example', 'MX'), '10 mx.hamburger.example.\n')
  assert.match(await ask('nix.hamburger.example'), /NXDOMAIN.+AUTHORITY SECTION.+IN\tSOA\t/s)
  assert.match(await ask('elsewhere.example'), /status: REFUSED/)
  assert.match(await ask('+ignore', 'hamburger.example', 'TXT'), /flags: qr aa tc;/)
  assert.match(await ask('hamburger.example', 'TXT'), /zzzzzz/)
  authority.setZones([])
  assert.match(await ask('hamburger.example'), /status: REFUSED/)
  await authority.close()
})
