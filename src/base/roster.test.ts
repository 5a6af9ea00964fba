import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Roster } from './roster.ts'

test('whoever entered is here until it leaves, in whatever order they come and go', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (choices) => {
      const roster = new Roster<number>()
      const leaves = new Map<number, () => void>()
      for (const [step, choice] of choices.entries()) {
        const leaving = [...leaves.keys()][choice]
        if (leaving === undefined) leaves.set(step, roster.enter(step))
        else {
          const leave = leaves.get(leaving)!
          leave()
          leave()
          leaves.delete(leaving)
        }
        assert.deepEqual(new Set(roster.all()), new Set(leaves.keys()))
        assert.equal(roster.size, leaves.size)
      }
    }),
  )
})
