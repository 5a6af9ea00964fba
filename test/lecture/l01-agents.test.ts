/** L1: user agents, mail servers, and SMTP between them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLabProcess } from '../harness/lab.ts'
import { doorsOf, dialogueOf, openPop3, says, saysJson, seenByBoth, waitFor, wayWith } from './stage.ts'

interface Listing {
  readonly messages: readonly {
    readonly number: number
    readonly subject: string
    readonly seen: boolean
    readonly answered: boolean
    readonly octets: number
  }[]
}

test('L1 user agents, mail servers and SMTP: Alice sends, Bob reads, answers and removes', async (t) => {
  const { env, ready } = await startLabProcess(t)
  const list = async (who: string, mailbox = 'INBOX') =>
    (await saysJson<Listing>(env, 'ls', mailbox, '--as', who)).messages
  const arrived = (who: string, subject: string) =>
    waitFor(async () => (await list(who)).find((one) => one.subject === subject) ?? null, subject)

  const sent = await says(
    env,
    ...['send', '--as', 'alice', '--to', 'bob@hamburger.edu', '-s', 'Pickles?', '-m', 'How about pickles?'],
  )
  assert.match(sent, /^handed in +mail\.crepes\.fr: 250 /)
  const arrival = await arrived('bob', 'Pickles?')
  assert.deepEqual([arrival.number, arrival.seen], [1, false])
  const shown = await says(env, 'read', '1', '--as', 'bob')
  assert.match(shown, /^From: alice@crepes\.fr\nTo: bob@hamburger\.edu\n/)
  assert.match(shown, /\n\nHow about pickles\?\n/)

  // Between the two servers SMTP was spoken, and each recorded the same.
  const way = await wayWith(env, ['last'], seenByBoth, 'both sides of the dialogue')
  assert.equal(dialogueOf(way, 'spoken')[0], 'S: 220 mail.hamburger.edu ESMTP')
  assert.equal(dialogueOf(way, 'spoken')[1], 'C: EHLO mail.crepes.fr')

  await says(env, 'reply', '1', '--as', 'bob', '-m', 'With ketchup.')
  await arrived('alice', 'Re: Pickles?')
  const answer = await says(env, 'read', '1', '--as', 'alice')
  assert.match(answer, /\n\nWith ketchup\.\n/)
  assert.match(answer, /\n> How about pickles\?/)
  const [after] = await list('bob')
  assert.deepEqual([after!.seen, after!.answered], [true, true])

  assert.equal(await says(env, 'rm', '1', '--as', 'bob'), '1 moved to Trash\n')
  assert.deepEqual(
    (await list('bob', 'Trash')).map(({ subject }) => subject),
    ['Pickles?'],
  )
  assert.equal(await says(env, 'rm', '1', '--as', 'bob'), '1 removed for good\n')
  // The doors of every other agent lead to the same mailbox.
  const pop3 = await openPop3(doorsOf(ready, 'hamburger.edu').pop3)
  await pop3.ask('stat', '+OK 2 1410')
  await pop3.quit()
})
