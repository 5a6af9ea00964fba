import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../base/clock.ts'
import { createLog, silentLog } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import type { Account } from '../store/accounts.ts'
import { createAuthenticator } from './create-authenticator.ts'
import { dummyHash, hashPassword, isPassword } from './password-hash.ts'

const hungry = await hashPassword('hungry')

function account(address: string, passwordHash: string | null): Account {
  return {
    accountId: address.length,
    address,
    passwordHash,
    usedOctets: 0,
    usedMessages: 0,
    quotaOctets: null,
    quotaMessages: null,
  }
}

function setUp(
  options: { loginsWaiting?: number; log?: (line: string) => void; guessed?: (address: string) => void } = {},
) {
  const clock = new FakeClock()
  const accounts = new Map<string, Account>()
  for (const address of ['bob@hamburger.edu', 'jürgen@hamburger.edu'])
    accounts.set(address, account(address, hungry))
  accounts.set('archive@hamburger.edu', account('archive@hamburger.edu', null))
  const world = { failing: false, lookups: 0 }
  const authenticator = createAuthenticator({
    store: {
      async findAccount(address) {
        world.lookups++
        if (world.failing) throw new Error('disk')
        return accounts.get(address) ?? null
      },
    },
    limits: { loginsWaiting: options.loginsWaiting ?? 200 },
    clock,
    random: seededRandom(7),
    ...(options.guessed === undefined ? {} : { guessed: options.guessed }),
    log: options.log === undefined ? silentLog : createLog(options.log, 'debug', () => 0),
  })
  async function logIn(login: string, password: string, remoteAddress = '192.0.2.1', authorisationId = '') {
    const attempt = { login, password, authorisationId, remoteAddress, protocol: 'pop3' as const }
    return (await authenticator.verify(attempt, 'hamburger.edu')).kind
  }
  return { clock, accounts, world, authenticator, logIn }
}

test('Bob logs in by his name, by his address, and in capitals', async () => {
  const { logIn } = setUp()
  for (const login of ['bob', 'bob@hamburger.edu', 'BOB', 'Bob@Hamburger.EDU', '"bob"@hamburger.edu']) {
    assert.equal(await logIn(login, 'hungry'), 'ok', login)
  }
})

test('Jürgen logs in however his ü is composed', async () => {
  const { logIn } = setUp()
  assert.equal(await logIn('ju\u0308rgen', 'hungry'), 'ok')
})

test('A wrong password, an unknown user and an account without a password are refused alike', async () => {
  const { logIn } = setUp()
  const attempts: [string, string][] = [
    ['bob', 'Hungry'],
    ['bob', ''],
    ['bob', 'hungry\0'],
    ['nobody', 'hungry'],
    ['bob@crepes.fr', 'hungry'],
    ['archive', 'hungry'],
    ['', 'hungry'],
    ['bob@', 'hungry'],
    ["bob' or 1=1 --", 'hungry'],
    ['*', 'hungry'],
  ]
  for (const [login, password] of attempts) assert.equal(await logIn(login, password), 'refused', login)
})

test('An unknown user costs as much as a wrong password', async () => {
  const { logIn } = setUp()
  await logIn('bob', 'warm up')
  const [known, unknown] = [[], []] as [number[], number[]]
  for (let i = 0; i < 3; i++) {
    for (const [login, times] of [
      ['bob', known],
      ['nobody', unknown],
    ] as const) {
      const start = performance.now()
      await logIn(login, `guess ${i}`)
      times.push(performance.now() - start)
    }
  }
  const [a, b] = [Math.min(...known), Math.min(...unknown)]
  assert.ok(a < 4 * b && b < 4 * a, `known ${a} ms, unknown ${b} ms`)
})

test('Nobody acts for somebody else, RFC 4616 §4', async () => {
  const { logIn } = setUp()
  assert.equal(await logIn('bob', 'hungry', '192.0.2.1', 'BOB@hamburger.edu'), 'ok')
  assert.equal(await logIn('bob', 'hungry', '192.0.2.1', 'jürgen'), 'refused')
})

test('A second log-in costs no hash, until five minutes have passed or the row has changed', async () => {
  const { logIn, accounts, clock } = setUp()
  await logIn('bob', 'hungry')
  const start = performance.now()
  for (let i = 0; i < 200; i++) assert.equal(await logIn('bob', 'hungry'), 'ok')
  assert.ok(performance.now() - start < 500, '200 log-ins without a hash')
  accounts.set('bob@hamburger.edu', account('bob@hamburger.edu', await hashPassword('full')))
  assert.equal(await logIn('bob', 'hungry'), 'refused')
  assert.equal(await logIn('bob', 'full'), 'ok')
  clock.advance(5 * 60_000)
  assert.equal(await logIn('bob', 'full'), 'ok')
})

test('Ten different wrong passwords make one address wait, and nobody else', async () => {
  const { logIn, clock } = setUp()
  for (let i = 0; i < 10; i++) assert.equal(await logIn('bob', `guess ${i}`), 'refused')
  assert.equal(await logIn('bob', 'hungry'), 'unavailable')
  assert.equal(await logIn('jürgen', 'hungry'), 'ok')
  assert.equal(await logIn('bob', 'hungry', '192.0.2.2'), 'ok')
  clock.advance(60_000)
  assert.equal(await logIn('bob', 'hungry'), 'ok')
})

test('Unknown users make an address wait as known ones do', async () => {
  const { logIn } = setUp()
  for (let i = 0; i < 10; i++) assert.equal(await logIn('nobody', `guess ${i}`), 'refused')
  assert.equal(await logIn('nobody', 'hungry'), 'unavailable')
})

test('The same wrong password a hundred times is one guess', async () => {
  const { logIn } = setUp()
  for (let i = 0; i < 100; i++) assert.equal(await logIn('bob', 'last week'), 'refused')
  assert.equal(await logIn('bob', 'hungry'), 'ok')
})

test('An IPv6 guesser counts by his network', async () => {
  const { logIn } = setUp()
  for (let i = 1; i <= 10; i++) await logIn('bob', `guess ${i}`, `2001:db8:0:1::${i}`)
  assert.equal(await logIn('bob', 'hungry', '2001:db8:0:1:a:b:c:d'), 'unavailable')
  assert.equal(await logIn('bob', 'hungry', '2001:db8:0:2::1'), 'ok')
})

test('Thirty guesses at once from one address are not all compared', async () => {
  const { logIn } = setUp()
  const outcomes = await Promise.all(Array.from({ length: 30 }, (_, i) => logIn('bob', `guess ${i}`)))
  assert.equal(outcomes.filter((kind) => kind === 'refused').length, 10)
  assert.equal(outcomes.filter((kind) => kind === 'unavailable').length, 20)
})

test('Thirty sessions of bob that open at once all get in with one hash', async () => {
  const { logIn } = setUp()
  const outcomes = await Promise.all(Array.from({ length: 30 }, () => logIn('bob', 'hungry')))
  assert.ok(outcomes.every((kind) => kind === 'ok'))
})

test('Past the bound on waiting log-ins the answer is: try again later', async () => {
  const { logIn, accounts } = setUp({ loginsWaiting: 1 })
  for (const name of ['a', 'b', 'c', 'd']) accounts.set(`${name}@x`, account(`${name}@x`, hungry))
  const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((name) => logIn(`${name}@x`, 'hungry')))
  assert.deepEqual(outcomes, ['ok', 'ok', 'ok', 'unavailable'])
})

test('A store that cannot be asked, or a row that is no hash, is temporary', async () => {
  const { logIn, world, accounts } = setUp()
  world.failing = true
  assert.equal(await logIn('bob', 'hungry'), 'unavailable')
  world.failing = false
  accounts.set(
    'bob@hamburger.edu',
    account('bob@hamburger.edu', '$argon2id$v=19$m=99999999,t=2,p=1$AAAA$AAAA'),
  )
  assert.equal(await logIn('bob', 'hungry'), 'unavailable')
})

test('The log names neither the password nor an unknown login', async () => {
  const lines: string[] = []
  const { logIn } = setUp({ log: (line) => lines.push(line) })
  await logIn('my-password-by-mistake', 'secret-one')
  await logIn('bob', 'secret-two')
  assert.equal(lines.length, 2)
  assert.doesNotMatch(lines.join(), /secret|mistake|argon2/)
  assert.match(lines[1]!, /bob@hamburger.edu/)
})

test('A hash is a PHC string that only its password fits', async () => {
  assert.match(hungry, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.equal(await isPassword(hungry, 'hungry'), true)
  assert.equal(await isPassword(hungry, 'hungry '), false)
  assert.equal(await isPassword(dummyHash(seededRandom(1)), 'hungry'), false)
  // A test vector of the reference implementation: password, somesalt, t=2, m=2^16, p=1.
  const reference = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  assert.equal(await isPassword(reference, 'password'), true)
})

test('A password that nobody could type again is not hashed', async () => {
  for (const bad of ['', 'a\r\nb', 'a\0', 'x'.repeat(1_025), '\ud800']) {
    await assert.rejects(hashPassword(bad), RangeError)
  }
})

test('A password is the same however its letters are composed, RFC 8265 §4.2', async () => {
  const hash = await hashPassword('cre\u0302pes\u3000et galettes')
  const { logIn, accounts } = setUp()
  accounts.set('bob@hamburger.edu', account('bob@hamburger.edu', hash))
  assert.equal(await logIn('bob', 'crêpes et galettes'), 'ok')
})

test('Guesses that all wait for the slow answer are counted before they wait', async () => {
  const { logIn, clock } = setUp()
  // A hundred wrong passwords for bob from everywhere: from now on strangers wait.
  for (let i = 0; i < 100; i++) await logIn('bob', `guess ${i % 2}`, `198.51.100.${i}`)
  const guesses = Array.from({ length: 30 }, (_, i) => logIn('bob', `late ${i}`))
  // The store has answered each; ten wait, and the others were told to come later.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  clock.advance(3_000)
  const outcomes = await Promise.all(guesses)
  assert.equal(outcomes.filter((kind) => kind === 'refused').length, 10)
  assert.equal(outcomes.filter((kind) => kind === 'unavailable').length, 20)
})

test('What was guessed is told once for each new guess', async () => {
  const guessed: string[] = []
  const { logIn } = setUp({ guessed: (address) => void guessed.push(address) })
  for (const password of ['wrong', 'wrong', 'wronger', 'hungry']) await logIn('bob', password)
  await logIn('nobody', 'wrong', '192.0.2.2')
  assert.deepEqual(guessed, ['192.0.2.1', '192.0.2.1', '192.0.2.2'])
})
