import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.ts'

test('what arrives together is done one piece a turn, in the order it came', async () => {
  const turns = new Turns()
  const seen: string[] = []
  for (let i = 0; i < 4; i++) turns.run(() => void seen.push(`work ${i}`))
  assert.equal(seen.length, 0)
  await new Promise<void>((resolve) => {
    let turn = 0
    const tick = (): void => {
      seen.push(`turn ${turn++}`)
      if (turn < 5) setImmediate(tick)
      else resolve()
    }
    setImmediate(tick)
  })
  assert.deepEqual(seen, [
    ...['work 0', 'turn 0', 'work 1', 'turn 1', 'work 2', 'turn 2', 'work 3', 'turn 3', 'turn 4'],
  ])
})
