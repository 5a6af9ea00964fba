/** L6: handshaking, transfer, closure; commands are ASCII text, replies are a status code and a phrase. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireLine } from '../../src/journey/event.ts'
import { doorsOf, letter, openStage, says, seenByBoth, submit, wayWith, written } from './stage.ts'

const isOver = (lines: readonly WireLine[]) => lines.at(-1)?.text.startsWith('221 ') === true

for (const [scene, hello] of [
  ['today', 'EHLO mail.crepes.fr'],
  ['lecture', 'HELO crepes.fr'],
] as const) {
  test(`L6 the way of a letter shows the three phases of SMTP, scene "${scene}"`, async (t) => {
    const { lab, env } = await openStage(t, scene)
    await submit(doorsOf(lab.line, 'crepes.fr').submission, [letter('Phases')])
    const spoken = (way: Parameters<typeof seenByBoth>[0]) =>
      way.stages.find(({ stage }) => stage === 'spoken')!.dialogues
    const way = await wayWith(
      env,
      ['last'],
      (one) => seenByBoth(one) && isOver(spoken(one)[0]!.phases.closure),
      'both sides of the dialogue, to its end',
    )
    assert.equal(spoken(way).length, 1)
    const { handshaking, transfer, closure } = spoken(way)[0]!.phases
    assert.match(handshaking[0]!.text, /^220 (mail\.)?hamburger\.edu/)
    assert.ok(written(handshaking).includes(`C: ${hello}`))
    assert.match(transfer[0]!.text, /^MAIL FROM:/)
    assert.match(transfer.at(-1)!.text, /^250 /)
    assert.deepEqual(
      closure.map(({ side, text }) => `${side} ${text.slice(0, 4)}`),
      ['C QUIT', 'S 221 '],
    )
    for (const { side, text } of [...handshaking, ...transfer, ...closure]) {
      assert.match(text, /^[\x20-\x7e]+$/)
      if (side === 'S') assert.match(text, /^[2-5]\d\d[ -]\S/)
      else assert.match(text, /^(?:[A-Z]{4,8}(?: |$)|\.$|\(message, \d+ octets\)$)/)
    }

    // The same for reading, one phase under the other.
    const text = await says(env, 'way', 'last', '--wire')
    const said = text.slice(text.indexOf('\n4 Spoken'), text.indexOf('\n5 Judged'))
    const order = [
      ' handshaking\n',
      `C: ${hello}`,
      ' transfer\n',
      'C: MAIL FROM:',
      'C: DATA',
      ' closure\n',
      'C: QUIT',
    ]
    const places = order.map((piece) => said.indexOf(piece))
    assert.ok(!places.includes(-1), said)
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    )
  })
}
