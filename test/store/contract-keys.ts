import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DomainKey } from '../../src/store/domain-keys.ts'
import { DomainUnknown, LimitReached, NameTaken } from '../../src/store/errors.ts'
import type { Begin } from './contract.ts'
import { put } from './letters.ts'

const key: DomainKey = {
  ...{ domain: 'hamburger.example', selector: '2026a-rsa', algorithm: 'rsa-sha256' },
  privateKey: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
  ...{ createdAt: 1_000, activeFrom: 2_000, retiredAt: null },
}

export function keyContract(name: string, begin: Begin): void {
  test(`${name}: keys of a domain are kept, retired and removed, and go with it`, async (t) => {
    const { store, reopen } = await begin(t)
    await store.addDomain('crepes.example')
    await store.addDomainKey(key)
    await store.addDomainKey({ ...key, selector: '2025a-rsa', createdAt: 500 })
    await store.addDomainKey({ ...key, domain: 'crepes.example', algorithm: 'ed25519-sha256' })
    await assert.rejects(store.addDomainKey(key), NameTaken)
    await assert.rejects(store.addDomainKey({ ...key, domain: 'elsewhere.example' }), DomainUnknown)
    const opened = await reopen()
    const [older, newer, ...more] = await opened.listDomainKeys('HAMBURGER.example')
    assert.equal(older!.selector, '2025a-rsa', 'the oldest first')
    assert.deepEqual([newer, more], [key, []])
    assert.equal(await opened.retireDomainKey('hamburger.example', '2026A-RSA', 9_000), true)
    assert.equal(await opened.retireDomainKey('hamburger.example', 'other', 9_000), false)
    assert.equal((await opened.listDomainKeys('hamburger.example'))[1]!.retiredAt, 9_000)
    assert.equal(await opened.removeDomainKey('hamburger.example', '2025a-rsa'), true)
    assert.equal(await opened.removeDomainKey('hamburger.example', '2025a-rsa'), false)
    assert.equal((await opened.listDomainKeys('hamburger.example')).length, 1)
    await opened.removeDomain('crepes.example')
    await opened.addDomain('crepes.example')
    assert.deepEqual(await opened.listDomainKeys('crepes.example'), [])
  })

  test(`${name}: an alias has no more members than a message may have recipients`, async (t) => {
    const { store } = await begin(t, { recipients: 3 })
    const members = ['a', 'b', 'c', 'd'].map((who) => `${who}@elsewhere.example`)
    await assert.rejects(store.addAlias('all@hamburger.example', members), LimitReached)
    await store.addAlias('all@hamburger.example', members.slice(1))
  })

  test(`${name}: a letter is filed by special use; INBOX when there is no such mailbox`, async (t) => {
    const { store, bob } = await begin(t)
    const junk = (await store.findMailbox(bob.accountId, 'Junk'))!
    await store.renameMailbox(bob.accountId, junk.mailboxId, 'Spam')
    assert.equal((await put(store, bob.accountId, { specialUse: '\\Junk' })).mailboxId, junk.mailboxId)
    await store.deleteMailbox(bob.accountId, junk.mailboxId)
    const inbox = (await store.findMailbox(bob.accountId, 'INBOX'))!
    assert.equal((await put(store, bob.accountId, { specialUse: '\\Junk' })).mailboxId, inbox.mailboxId)
  })
}
