import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Account, AddressMeaning } from '../accounts.ts'
import { KnownAddresses } from './known-addresses.ts'

function account(quotaOctets: number | null): Account {
  const usage = { usedOctets: 0, usedMessages: 0, quotaOctets, quotaMessages: null }
  return { accountId: 1, address: 'bob@home.example', passwordHash: null, ...usage }
}

/** Addresses over tables that count how often they are asked. */
function known(meaning: AddressMeaning, max = 10) {
  const tables = { meaning, asked: 0, changed: 0, fails: false }
  const reader = {
    resolve() {
      tables.asked++
      return tables.meaning
    },
  }
  const writer = {
    async ask(): Promise<never> {
      tables.changed++
      if (tables.fails) throw new Error('refused')
      return undefined as never
    },
    noteReading() {},
  }
  return { tables, addresses: new KnownAddresses(reader, writer, max) }
}

test('an address is asked of the tables once, and anew after each change of names', async () => {
  const { tables, addresses } = known({ kind: 'account', account: account(null) })
  addresses.resolve('bob@home.example')
  assert.equal(addresses.resolve('bob@home.example').kind, 'account')
  assert.equal(tables.asked, 1)
  tables.meaning = { kind: 'unknown' }
  await addresses.change('removeAccount', { address: 'bob@home.example' })
  assert.equal(addresses.resolve('bob@home.example').kind, 'unknown')
  assert.equal(tables.changed, 1)
})

test('a change that fails may have been made all the same', async () => {
  const { tables, addresses } = known({ kind: 'remote' })
  addresses.resolve('carol@client.example')
  tables.fails = true
  await assert.rejects(addresses.change('addDomain', { domain: 'client.example' }))
  addresses.resolve('carol@client.example')
  assert.equal(tables.asked, 2)
})

test('a bounded account and an unknown address are asked for each time', () => {
  for (const meaning of [
    { kind: 'account', account: account(1_000) },
    { kind: 'unknown' },
  ] satisfies AddressMeaning[]) {
    const { tables, addresses } = known(meaning)
    addresses.resolve('bob@home.example')
    addresses.resolve('bob@home.example')
    assert.equal(tables.asked, 2)
  }
})

test('past the bound the one that was learnt first is forgotten', () => {
  const { tables, addresses } = known({ kind: 'alias', targets: [] }, 2)
  for (const name of ['a', 'b', 'c', 'b', 'c', 'a']) addresses.resolve(`${name}@home.example`)
  assert.equal(tables.asked, 4)
})
