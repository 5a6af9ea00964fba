/** In the Lab of today Bob's server judges who wrote. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Way } from '../../src/cli/way/merge.ts'
import { doorsOf, openStage, saysJson, submit, waitFor } from '../lecture/stage.ts'
import { speakTo } from '../harness/replay.ts'

test('a letter from crepes.fr passes, and its way says by which record; a forged one is refused', async (t) => {
  const { lab, env } = await openStage(t, 'today')
  await submit(doorsOf(lab.line, 'crepes.fr').submission, [
    'From: alice@crepes.fr\nSubject: Genuine\n\nKetchup?',
  ])
  const judged = await waitFor(async () => {
    const way = await saysJson<Way>(env, 'way')
    const events = way.stages.flatMap((stage) => stage.events).filter(({ kind }) => kind.startsWith('auth.'))
    return events.some(({ kind }) => kind === 'auth.dmarc') ? events : null
  }, 'the judgement')
  const said = (kind: string, name: string) =>
    judged.filter((event) => event.kind === kind).map(({ data }) => data[name])
  assert.deepEqual(said('auth.spf', 'record'), ['v=spf1 a -all', 'v=spf1 ip4:127.0.0.1 -all'])
  assert.deepEqual(said('auth.dkim', 'result'), ['pass'])
  assert.deepEqual(said('auth.dkim', 'algorithm'), ['ed25519-sha256'])
  assert.deepEqual(said('auth.dmarc', 'result'), ['pass'])
  assert.deepEqual(said('auth.dmarc', 'aligned'), [['dkim=crepes.fr', 'spf=crepes.fr']])
  assert.deepEqual(said('auth.dmarc', 'record'), ['v=DMARC1; p=reject'])

  const speaker = await speakTo(doorsOf(lab.line, 'hamburger.edu').smtp)
  const ask = async (command: string, reply: string) => {
    speaker.send(`${command}\r\n`)
    await speaker.expect(reply)
  }
  await speaker.expect('220 <…>')
  await ask('HELO elsewhere.example', '250 <…>')
  await ask('MAIL FROM:<eve@elsewhere.example>', '250 <…>')
  await ask('RCPT TO:<bob@hamburger.edu>', '250 <…>')
  await ask('DATA', '354 <…>')
  speaker.send('From: alice@crepes.fr\r\n\r\nI hate ketchup.\r\n.\r\n')
  await speaker.expect('<…>DMARC<…>')
  speaker.close()
})
