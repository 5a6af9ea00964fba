import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccountUnknown, DomainInUse, DomainUnknown, NameTaken } from '../../src/store/errors.ts'
import type { AddressMeaning } from '../../src/store/accounts.ts'
import type { Begin } from './contract.ts'
import { put } from './letters.ts'

export function accountContract(name: string, begin: Begin): void {
  test(`${name}: a new account has its six mailboxes, INBOX among them`, async (t) => {
    const { store, bob } = await begin(t)
    const mailboxes = await store.listMailboxes(bob.accountId)
    assert.deepEqual(
      mailboxes.map(({ name, specialUse }) => [name, specialUse]),
      [
        ['Archive', '\\Archive'],
        ['Drafts', '\\Drafts'],
        ['INBOX', null],
        ['Junk', '\\Junk'],
        ['Sent', '\\Sent'],
        ['Trash', '\\Trash'],
      ],
    )
    assert.ok(mailboxes.every(({ subscribed, total, uidNext }) => subscribed && total === 0 && uidNext === 1))
    assert.equal(new Set(mailboxes.map(({ uidValidity }) => uidValidity)).size, 6)
  })

  test(`${name}: a name is taken once, by an account or an alias, in any case`, async (t) => {
    const { store } = await begin(t)
    await assert.rejects(store.addAccount('BOB@hamburger.example', null), NameTaken)
    await assert.rejects(store.addAlias('bob@hamburger.example', ['x@y.example']), NameTaken)
    await assert.rejects(store.addAccount('bob@elsewhere.example', null), DomainUnknown)
    await assert.rejects(store.addDomain('hamburger.example'), NameTaken)
    await assert.rejects(store.removeDomain('hamburger.example'), DomainInUse)
    await assert.rejects(store.setPassword('nobody@hamburger.example', 'x'), AccountUnknown)
  })

  test(`${name}: of many accounts either all are made or none`, async (t) => {
    const { store } = await begin(t)
    const accounts = ['carol', 'dave', 'bob'].map((who) => ({
      address: `${who}@hamburger.example`,
      passwordHash: null,
    }))
    await assert.rejects(store.addAccounts(accounts), NameTaken)
    assert.equal(await store.findAccount('carol@hamburger.example'), null)
    const made = await store.addAccounts(accounts.slice(0, 2))
    assert.equal(made[1]!.address, 'dave@hamburger.example')
    assert.equal((await store.listAccounts()).length, 4)
  })

  test(`${name}: an address leads to an account, an alias, nobody, or elsewhere`, async (t) => {
    const { store, bob, alice } = await begin(t)
    await store.addAlias('team@hamburger.example', ['bob@hamburger.example', 'x@elsewhere.example'])
    const what = (meaning: AddressMeaning) =>
      meaning.kind === 'account'
        ? meaning.account.accountId
        : meaning.kind === 'alias'
          ? meaning.targets.join()
          : meaning.kind
    const cases: readonly [string, unknown][] = [
      ['bob@hamburger.example', bob.accountId],
      ['Bob@Hamburger.Example', bob.accountId],
      ['bob+lists@hamburger.example', bob.accountId],
      ['alice+a+b@hamburger.example', alice.accountId],
      ['team@hamburger.example', 'bob@hamburger.example,x@elsewhere.example'],
      ['team+x@hamburger.example', 'bob@hamburger.example,x@elsewhere.example'],
      ['nobody@hamburger.example', 'unknown'],
      ['+bob@hamburger.example', 'unknown'],
      ['bob@elsewhere.example', 'remote'],
      ['postmaster@hamburger.example', bob.accountId],
      ['Abuse@hamburger.example', bob.accountId],
      ['postmaster@elsewhere.example', 'remote'],
      ['dmarc-reports@hamburger.example', bob.accountId],
      ['tls-reports+x@hamburger.example', bob.accountId],
      ['dmarc-reports@elsewhere.example', 'remote'],
    ]
    for (const [address, expected] of cases) {
      assert.deepEqual(what(await store.resolveAddress(address)), expected, address)
    }
    await store.addAlias('postmaster@hamburger.example', ['alice@hamburger.example'])
    for (const who of ['postmaster', 'dmarc-reports', 'tls-reports']) {
      const meaning = await store.resolveAddress(`${who}@hamburger.example`)
      assert.equal(what(meaning), 'alice@hamburger.example', who)
    }
    assert.deepEqual(await store.listAliases(), [
      { address: 'postmaster@hamburger.example', targets: ['alice@hamburger.example'] },
      { address: 'team@hamburger.example', targets: ['bob@hamburger.example', 'x@elsewhere.example'] },
    ])
    await store.removeAlias('team@hamburger.example')
    assert.deepEqual(await store.resolveAddress('team@hamburger.example'), { kind: 'unknown' })
  })

  test(`${name}: domains and addresses have one form, in whatever form they are written`, async (t) => {
    const { store } = await begin(t)
    const [uLabel, aLabel] = ['kÄse.example', 'xn--kse-qla.example']
    await store.addDomain(uLabel)
    assert.ok((await store.listDomains()).includes(aLabel))
    await assert.rejects(store.addDomain(aLabel), NameTaken)
    const { accountId, address } = await store.addAccount(`Zoë@${uLabel}`, null)
    assert.equal(address, `zoë@${aLabel}`)
    await assert.rejects(store.addAlias(`zoë@${aLabel}`, ['x@y.example']), NameTaken)
    // The same letter of two characters.
    for (const written of [`zoë@${uLabel}`, `ZOË@${aLabel}`, `zoe\u0308@kA\u0308se.example`]) {
      assert.equal((await store.findAccount(written))?.accountId, accountId, written)
      const meaning = await store.resolveAddress(written)
      assert.ok(meaning.kind === 'account' && meaning.account.accountId === accountId, written)
    }
    await store.addAlias(`team@${uLabel}`, [`zoë@${uLabel}`])
    assert.equal((await store.resolveAddress(`team@${aLabel}`)).kind, 'alias')
    await store.removeAlias(`Team@${uLabel}`)
    await store.setPassword(`zoë@${uLabel}`, 'other')
    await store.removeAccount(`zoë@${uLabel}`)
    await store.restoreAccount(`zoë@${uLabel}`)
    await store.removeAccount(`zoë@${aLabel}`)
    await store.removeDomain(uLabel)
    assert.deepEqual(await store.listDomains(), ['hamburger.example'])
  })

  test(`${name}: an account that is removed is gone with its mail, and its number is not used again`, async (t) => {
    const { store, clock, bob } = await begin(t, { undeleteMs: 1 })
    const filed = await put(store, bob.accountId)
    await store.removeAccount('bob@hamburger.example')
    assert.equal(await store.findAccount('bob@hamburger.example'), null)
    assert.deepEqual(await store.listMailboxes(bob.accountId), [])
    await assert.rejects(store.removeAccount('bob@hamburger.example'), AccountUnknown)
    await assert.rejects(put(store, bob.accountId), AccountUnknown)
    const again = await store.addAccount('bob@hamburger.example', null)
    assert.notEqual(again.accountId, bob.accountId)
    clock.advance(20 * 60_000)
    await store.removeAccount('alice@hamburger.example')
    await eventually(async () => (await store.getEmails(bob.accountId, [filed.emailId]))[0] === null)
  })

  test(`${name}: domains and passwords can be changed`, async (t) => {
    const { store } = await begin(t)
    await store.addDomain('crepes.example')
    assert.deepEqual(await store.listDomains(), ['crepes.example', 'hamburger.example'])
    await store.removeDomain('crepes.example')
    await assert.rejects(store.removeDomain('crepes.example'), DomainUnknown)
    await store.setPassword('bob@hamburger.example', 'other')
    assert.equal((await store.findAccount('Bob@hamburger.example'))!.passwordHash, 'other')
  })
}

/** Waits for what is done in the background. */
export async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail('it did not happen')
}
