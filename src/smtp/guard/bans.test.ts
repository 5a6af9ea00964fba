import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/clock.ts'
import { defaultLimits } from '../../base/limits.ts'
import { silentLog } from '../../base/log.ts'
import { memoryNotes } from '../../store/notes/open-notes.ts'
import { BanList } from './bans.ts'
import { Offences } from './offences.ts'

function setUp(limits: Partial<typeof defaultLimits> = {}) {
  const clock = new FakeClock()
  const notes = memoryNotes(clock, silentLog, limits.notesPerKind)
  const options = { notes, clock, log: silentLog, limits: { ...defaultLimits, ...limits } }
  const open = () => new BanList({ ...options, banned: ['203.0.113.0/24'] })
  const bans = open()
  const isTrusted = (address: string): boolean => address === '127.0.0.1'
  return { clock, notes, bans, open, offences: new Offences({ ...options, bans, isTrusted }) }
}

test('a ban holds for its network until its time is over, and a restart does not lift it', () => {
  const { clock, bans, open } = setUp()
  assert.equal(bans.add('192.0.2.77/24', 'by hand', clock.now() + 1_000)?.prefix, '192.0.2.0/24')
  assert.equal(bans.add('nonsense', 'by hand', null), null)
  assert.equal(bans.find('192.0.2.1')?.reason, 'by hand')
  assert.equal(open().find('192.0.2.1')?.reason, 'by hand')
  assert.equal(bans.find('192.0.3.1'), null)
  clock.advance(1_000)
  assert.equal(bans.find('192.0.2.1'), null)
  assert.equal(open().find('192.0.2.1'), null)
})

test('under a ban that is over a wider one still holds', () => {
  const { clock, bans } = setUp()
  bans.add('192.0.2.0/24', 'wide', null)
  bans.add('192.0.2.1', 'narrow', clock.now() + 1_000)
  assert.equal(bans.find('192.0.2.1')?.reason, 'narrow')
  clock.advance(1_000)
  assert.equal(bans.find('192.0.2.1')?.reason, 'wide')
})

test('bans are listed and lifted; those of the configuration are only listed', () => {
  const { bans } = setUp()
  bans.add('2001:db8::/48', 'by hand', null)
  bans.add('192.0.2.1', 'by hand', null)
  const listed = bans.list().map(({ prefix, until }) => [prefix, until])
  assert.deepEqual(listed, [
    ['2001:db8::/48', null],
    ['192.0.2.1', null],
    ['203.0.113.0/24', null],
  ])
  assert.equal(bans.lift('192.0.2.1'), true)
  assert.equal(bans.lift('192.0.2.1'), false)
  assert.equal(bans.lift('203.0.113.0/24'), false)
  assert.equal(bans.find('192.0.2.1'), null)
  assert.equal(bans.find('203.0.113.9')?.reason, 'named in the configuration')
  assert.equal(bans.add('203.0.113.0/24', 'by hand', 1)?.until, null)
  assert.equal(bans.find('203.0.113.9')?.reason, 'named in the configuration')
})

test('who guesses passwords is banned for an hour, then for two; forgiven, for one again', () => {
  const { clock, bans, offences } = setUp({ banLoginFailures: 5 })
  const guess = (): void => {
    for (let i = 0; i < 5; i++) offences.count('login', '192.0.2.1')
  }
  const lasts = (): number => (bans.find('192.0.2.1')?.until ?? 0) - clock.now()
  for (let i = 0; i < 4; i++) offences.count('login', '192.0.2.1')
  assert.equal(bans.find('192.0.2.1'), null)
  offences.count('login', '192.0.2.1')
  assert.equal(lasts(), 3_600_000)
  clock.advance(3_600_000)
  assert.equal(bans.find('192.0.2.1'), null)
  guess()
  assert.equal(lasts(), 7_200_000)
  assert.equal(bans.lift('192.0.2.1'), true)
  guess()
  assert.equal(lasts(), 3_600_000)
})

test('a slow trickle of mistakes bans nobody, nor does anything ban who is trusted', () => {
  const { clock, bans, offences } = setUp({ banLoginFailures: 5 })
  for (let i = 0; i < 50; i++) {
    offences.count('login', '192.0.2.1')
    clock.advance(3_600_000 / 4)
  }
  for (let i = 0; i < 50; i++) offences.count('login', '127.0.0.1')
  assert.equal(bans.list().length, 1)
})

test('a network whose addresses take turns is banned as a whole', () => {
  const { bans, offences } = setUp({ banLoginFailures: 5 })
  for (let host = 1; host <= 25; host++) offences.count('login', `192.0.2.${host}`)
  assert.equal(bans.find('192.0.2.200')?.prefix, '192.0.2.0/24')
  for (let i = 0; i < 5; i++) offences.count('protocol', '2001:db8::1')
  assert.equal(bans.find('2001:db8::2'), null)
  for (let i = 0; i < 5; i++) offences.count('login', `2001:db8::${i}`)
  assert.equal(bans.find('2001:db8::ffff')?.prefix, '2001:db8::/64')
})

test('bans are bounded', () => {
  const { bans } = setUp({ notesPerKind: 100 })
  for (let i = 0; i < 1_000; i++) bans.add(`10.0.${i >> 8}.${i & 255}`, 'by hand', null)
  assert.equal(bans.list().length, 101)
  assert.equal(bans.find('10.0.0.1'), null)
  assert.equal(bans.find(`10.0.${999 >> 8}.${999 & 255}`)?.reason, 'by hand')
})
