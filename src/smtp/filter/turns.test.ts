import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.ts'

test('one more than may be inside waits for its turn, in order, or gives up', async () => {
  const turns = new Turns(1)
  const never = new AbortController().signal
  const said: string[] = []
  const leave = await turns.take(never)
  const enter = async (name: string): Promise<() => void> => {
    const done = await turns.take(never)
    said.push(name)
    return done
  }
  const second = enter('second')
  const bored = new AbortController()
  const third = turns.take(bored.signal)
  const fourth = enter('fourth')
  bored.abort(new Error('bored'))
  await assert.rejects(third, /bored/)
  await assert.rejects(turns.take(bored.signal), /bored/)
  assert.deepEqual(said, [])
  leave()
  ;(await second)()
  ;(await fourth)()
  assert.deepEqual(said, ['second', 'fourth'])
  const again = await turns.take(never)
  again()
})
