/** L8: from Alice's agent to Bob's in six steps. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Way } from '../../src/cli/way/merge.ts'
import { doorsOf, openPop3, openStage, says, saysJson, waitFor, wayWith } from './stage.ts'

/** Alice's part: 1 and 2. @returns The letter's Message-ID. */
async function compose(env: Record<string, string>, subject: string): Promise<string> {
  const sent = await saysJson<{ messageId: string }>(
    env,
    ...['send', '--as', 'alice', '--to', 'bob@hamburger.edu', '-s', subject, '-m', 'In six steps.'],
  )
  return sent.messageId
}

function assertSixSteps(way: Way, messageId: string): void {
  assert.deepEqual(
    way.stages.map(({ step, stage }) => `${step} ${stage}`),
    [
      '1 written',
      '2 handed-in',
      '2 queued',
      '3 looked-up',
      '3 connected',
      '3 secured',
      '4 spoken',
      '5 judged',
      '5 filed',
      '6 collected',
    ],
  )
  assert.equal(way.messageId, messageId)
  const textOf = (stage: string) =>
    way.stages
      .find((one) => one.stage === stage)!
      .facts.map(({ text }) => text)
      .join('\n')
  assert.equal(textOf('written'), `by alice@crepes.fr, as ${messageId}`)
  assert.match(textOf('handed-in'), /by alice@crepes\.fr from 127\.0\.0\.1/)
  assert.match(textOf('queued'), /^as \d+ for hamburger\.edu/)
  assert.match(textOf('looked-up'), /^MX hamburger\.edu → 10 mail\.hamburger\.edu/)
  assert.match(textOf('connected'), /^mail\.hamburger\.edu at 127\.0\.0\.1:25,/)
  assert.match(textOf('secured'), /trusted$/)
  assert.match(textOf('spoken'), /bob@hamburger\.edu: 250 /)
  assert.match(textOf('filed'), /^bob@hamburger\.edu: INBOX, UID \d+$/)

  // Each step begins after the one before it, and is told by the server that does it.
  const steps = [2, 3, 4, 5, 6].map((step) => way.stages.filter((one) => one.step === step))
  const begins = steps.map((stages) =>
    Math.min(...stages.flatMap(({ events }) => events.map(({ at }) => at))),
  )
  // Bob's server has filed the letter before Alice's hears 250, so 4 and 5 begin in either order.
  const [handedIn, connected, , filed, collected] = begins as [number, number, number, number, number]
  assert.ok(handedIn <= connected && connected <= filed && filed <= collected, begins.join(' '))
  const tellers = (stage: string) =>
    new Set(way.stages.find((one) => one.stage === stage)!.events.map((one) => one.server))
  for (const stage of ['handed-in', 'queued', 'looked-up', 'connected'])
    assert.deepEqual(tellers(stage), new Set(['crepes.fr']), stage)
  assert.deepEqual(tellers('spoken'), new Set(['crepes.fr', 'hamburger.edu']))
  for (const stage of ['filed', 'collected'])
    assert.deepEqual(tellers(stage), new Set(['hamburger.edu']), stage)
}

const isWhole = (way: Way): boolean =>
  way.state === 'collected' &&
  way.stages.find(({ stage }) => stage === 'spoken')!.dialogues[0]?.seenByBoth === true

test('L8 six steps: Bob reads with an agent that speaks POP3', async (t) => {
  const { lab, env } = await openStage(t, 'today')
  const messageId = await compose(env, 'By POP3')
  const { pop3 } = doorsOf(lab.line, 'hamburger.edu')
  const text = await waitFor(async () => {
    const session = await openPop3(pop3)
    const letters = await session.lines('list')
    const found = letters.length === 3 ? await session.retr(3) : null
    await session.quit()
    return found
  }, 'the letter')
  assert.match(text, /\r\n\r\nIn six steps\.\r\n$/)
  const way = await wayWith(env, [messageId], isWhole, 'all six steps')
  assertSixSteps(way, messageId)
  assert.match(way.stages.at(-1)!.facts[0]!.text, /^fetched by POP3 as message 3, from 127\.0\.0\.1/)
})

test('L8 six steps: Bob reads with an agent that speaks IMAP', async (t) => {
  const { env } = await openStage(t, 'today')
  const messageId = await compose(env, 'By IMAP')
  await waitFor(async () => /By IMAP/.test(await says(env, 'ls', '--as', 'bob')), 'the letter')
  assert.match(await says(env, 'read', '1', '--as', 'bob'), /\n\nIn six steps\.\n/)
  const way = await wayWith(env, [messageId], isWhole, 'all six steps')
  assertSixSteps(way, messageId)
  assert.match(way.stages.at(-1)!.facts[0]!.text, /^fetched by IMAP from INBOX, UID 3, from 127\.0\.0\.1/)
})
