import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapResolver, type RecordMap } from '../../dns/map-resolver.ts'
import { findDmarcDestinations } from './destinations.ts'

const txt = (...records: string[]) => ({ TXT: records })
const own = {
  '_dmarc.blue.example.com': txt('v=DMARC1; p=none'),
  '_dmarc.example.com': txt('v=DMARC1; p=none'),
}

async function find(records: RecordMap, rua: string, most = 5) {
  const { to, refused, uncertain } = await findDmarcDestinations(
    mapResolver({ ...own, ...records }),
    'blue.example.com',
    rua,
    most,
  )
  return { to: to.map(({ address }) => address), why: refused.map(({ why }) => why), uncertain }
}

test('within one organization nobody is asked for consent', async () => {
  const uris = 'mailto:a@blue.example.com, mailto:b@example.com, mailto:c@red.example.com'
  assert.deepEqual(await find({}, uris), {
    to: ['a@blue.example.com', 'b@example.com', 'c@red.example.com'],
    ...{ why: [], uncertain: false },
  })
})

test('RFC 9990: a destination elsewhere has to say that it wants the reports', async () => {
  const name = 'blue.example.com._report._dmarc.red.example.net'
  const rua = 'mailto:reports@red.example.net'
  assert.deepEqual((await find({}, rua)).why, ['red.example.net does not say that it wants them'])
  assert.deepEqual((await find({ [name]: txt('v=spf1 -all', 'v=dmarc1') }, rua)).to, [])
  for (const record of ['v=DMARC1', 'v=DMARC1;', 'v=DMARC1; rua=']) {
    assert.deepEqual((await find({ [name]: txt(record) }, rua)).to, ['reports@red.example.net'], record)
  }
  const moved = { [name]: txt('v=DMARC1; rua=mailto:other@red.example.net!5m') }
  assert.deepEqual((await find(moved, rua)).to, ['other@red.example.net'])
  for (const elsewhere of [
    'mailto:x@green.example',
    'mailto:a@red.example.net,mailto:x@green.example',
    'nonsense',
  ]) {
    const found = await find({ [name]: txt(`v=DMARC1; rua=${elsewhere}`) }, rua)
    assert.deepEqual(
      [found.to, found.why],
      [[], ['red.example.net sends them on to another domain']],
      elsewhere,
    )
  }
})

test('DNS that does not answer is no consent and no refusal', async () => {
  const found = await find(
    { 'blue.example.com._report._dmarc.red.example.net': 'servfail' },
    'mailto:a@red.example.net,mailto:b@example.com',
  )
  assert.deepEqual([found.to, found.uncertain, found.why.length], [['b@example.com'], true, 1])
})

test('destinations have a bound, and names do', async () => {
  const many = Array.from({ length: 9 }, (_, n) => `mailto:r${n}@example.com`).join(',')
  const found = await find({}, many, 2)
  assert.deepEqual([found.to, found.why.length], [['r0@example.com', 'r1@example.com'], 7])
  const long = `${'a'.repeat(60)}.`.repeat(4).slice(0, -1)
  assert.match((await find({}, `mailto:a@${long}`)).why[0]!, /too long/)
  assert.match((await find({}, 'https://red.example.net/')).why[0]!, /only mailto/)
})
