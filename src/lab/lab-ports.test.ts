import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { freePorts, labPortCount, labPorts } from './lab-ports.ts'

const allPorts = ({ dns, servers }: ReturnType<typeof labPorts>) => [
  dns,
  ...servers.flatMap((one) => Object.values(one)),
]

test('the usual ports are those that a handout can print', () => {
  const { dns, servers } = labPorts(null)
  assert.deepEqual([dns, servers[0].smtp, servers[1].smtp, servers[1].pop3], [5300, 2525, 2526, 2111])
  assert.equal(new Set(allPorts(labPorts(null))).size, labPortCount)
})

test('a base gives ports in a row, and 0 any', () => {
  const row = Array.from({ length: labPortCount }, (_, index) => 4_000 + index)
  assert.deepEqual(allPorts(labPorts(4_000)), row)
  assert.deepEqual(new Set(allPorts(labPorts(0))), new Set([0]))
})

test('a port that somebody has is given up for a free one', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo
  const wanted = labPorts(0)
  const { ports, taken } = await freePorts({
    ...wanted,
    servers: [{ ...wanted.servers[0], imap: port }, wanted.servers[1]],
  })
  assert.deepEqual([ports.servers[0].imap, taken], [0, [port]])
})
