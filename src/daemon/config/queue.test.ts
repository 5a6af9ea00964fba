import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../../base/limits.ts'
import { defaultQueueConfig } from '../../base/queue-config.ts'
import { ConfigError } from '../config-error.ts'
import { parseConfig } from '../load-config.ts'

const read = (text: string) =>
  parseConfig(`hostname = "mx.posthorn.example"\n${text}`, '/etc/posthorn/posthorn.toml').config

test('without a word about the queue it is as it always was', () => {
  const config = read('')
  assert.deepEqual(config.queue, defaultQueueConfig)
  assert.equal(config.limits.queueLifeMs, defaultLimits.queueLifeMs)
  assert.equal(config.outgoing.allowPrivate, false)
})

test('times and numbers of the queue are read', () => {
  const { queue, limits, outgoing } = read(`
[queue]
retry = ["90s", "15m", "4h"]
life = "2d"
delay_warning = "1h"
connections_per_destination = 3
[outgoing]
allow_private = true
`)
  assert.deepEqual(queue.retryMs, [90_000, 900_000, 14_400_000])
  assert.deepEqual([limits.queueLifeMs, limits.delayWarningMs], [172_800_000, 3_600_000])
  assert.deepEqual([queue.connectionsPerDestination, queue.connections], [3, 100])
  assert.equal(outgoing.allowPrivate, true)
})

for (const [line, place] of [
  ['retry = []', 'queue.retry has 0 times'],
  ['retry = ["15m", "soon"]', 'queue.retry: "soon"'],
  ['life = "0d"', 'queue.life: "0d"'],
  ['life = "9999d"', 'queue.life: "9999d"'],
  ['connections = 0', 'queue.connections is 0'],
] as const) {
  test(`refused with its place: ${line}`, () => {
    assert.throws(
      () => read(`[queue]\n${line}`),
      (error: unknown) => error instanceof ConfigError && error.message.includes(place),
    )
  })
}
