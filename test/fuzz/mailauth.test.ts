/** `MAILAUTH_FUZZ_SEED=n MAILAUTH_FUZZ_RUNS=n` replay a run or make it longer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mapResolver, type RecordMap } from '../../src/dns/map-resolver.ts'
import { KeyCache, readKey } from '../../src/mailauth/dkim/key.ts'
import { readDkimSignature } from '../../src/mailauth/dkim/signature.ts'
import { evaluateDmarc } from '../../src/mailauth/dmarc/evaluate.ts'
import { isDmarcRecord, parseDmarcRecord } from '../../src/mailauth/dmarc/record.ts'
import { checkIprev } from '../../src/mailauth/iprev.ts'
import { MessageVerifier } from '../../src/mailauth/message-verifier.ts'
import { formatAuthenticationResults, parseAuthenticationResults } from '../../src/mailauth/results-field.ts'
import { checkSpf } from '../../src/mailauth/spf/check-spf.ts'
import { parseSpfRecord } from '../../src/mailauth/spf/record.ts'
import { parseTagList } from '../../src/mailauth/tag-list.ts'
import { corpus, testLimits } from '../../src/mailauth/verify-fixture.ts'

const seed = Number(process.env['MAILAUTH_FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const numRuns = Number(process.env['MAILAUTH_FUZZ_RUNS'] ?? 500)
console.log(`mailauth fuzz seed ${seed}`)

function check(property: fc.IRawProperty<unknown>, runs = numRuns): Promise<void> | void {
  return fc.assert(property as fc.IAsyncProperty<unknown>, { seed, numRuns: runs })
}

const octets = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const joined = (parts: readonly string[], maxLength = 30) =>
  fc.array(fc.constantFrom(...parts), { maxLength }).map((some) => some.join(''))
const tags = joined([
  ...[
    'v=',
    '1',
    'DKIM1',
    'DMARC1',
    ';',
    ' ',
    '\r\n ',
    'a=',
    'rsa-sha256',
    'ed25519-sha256',
    'b=',
    'bh=',
    'AAAA',
    '=',
  ],
  ...[
    'c=',
    'relaxed',
    'simple',
    '/',
    'd=',
    'crepes.example',
    's=',
    'h=',
    'from',
    ':',
    'i=',
    '@',
    'l=',
    '9',
    't=',
    'x=',
  ],
  ...[
    'p=',
    'k=',
    'rsa',
    'reject',
    'sp=',
    'np=',
    'psd=y',
    'psd=n',
    'rua=mailto:a@b.example',
    '\xff',
    'cv=none',
    'cv=pass',
  ],
])
const spfText = joined([
  ...[
    ' ',
    'v=spf1',
    'a',
    'mx',
    'ptr',
    'all',
    'include:',
    'exists:',
    'redirect=',
    'exp=',
    'ip4:',
    'ip6:',
    '192.0.2.1',
  ],
  ...[
    '2001:db8::',
    '/24',
    '//64',
    '-',
    '~',
    '?',
    '+',
    '%{',
    '%',
    '}',
    'i',
    'l',
    's',
    'd',
    'p',
    'h',
    'r',
    '2',
    '.',
    ':',
  ],
  ...[
    'crepes.example',
    'a.example',
    'b.example',
    '_',
    '\xff',
    '%{ir}',
    '%{l1r-}.',
    '%{p}',
    '%{S}',
    '=',
    'x=',
  ],
])
const results = joined([
  ...[
    'mx.example',
    ';',
    ' ',
    '(',
    ')',
    '"',
    '\\',
    '=',
    '.',
    '/',
    'spf',
    'pass',
    'reason',
    'header',
    'from',
    '1',
    '\r\n ',
  ],
  ...['none', '@', 'a', '\xff', '\0'],
])
const any = (nearly: fc.Arbitrary<string>) => fc.oneof(octets, nearly)

test('no text makes a reader throw', () =>
  check(
    fc.property(any(tags), any(spfText), any(results), (tagText, spf, field) => {
      parseTagList(tagText)
      readDkimSignature({ name: 'DKIM-Signature', value: tagText, raw: `DKIM-Signature:${tagText}` })
      readKey(tagText, 'rsa-sha256')
      readKey(tagText, 'ed25519-sha256')
      if (isDmarcRecord(tagText)) parseDmarcRecord(tagText)
      parseSpfRecord(spf)
      parseSpfRecord(`v=spf1 ${spf}`)
      const parsed = parseAuthenticationResults(field)
      if (parsed !== null) formatAuthenticationResults(parsed)
    }),
    10 * numRuns,
  ))

const reply = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .array(
        any(spfText).map((text) => `v=spf1 ${text}`),
        { maxLength: 2 },
      )
      .map((TXT) => ({ TXT })),
  },
  { weight: 2, arbitrary: any(tags).map((text) => ({ TXT: [`v=DMARC1;${text}`] })) },
  fc.constantFrom<RecordMap[string]>(
    ...(['servfail', 'timeout'] as const),
    { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
    {
      MX: [
        { preference: 1, exchange: 'a.example' },
        { preference: 2, exchange: '' },
      ],
    },
    { PTR: ['a.example', 'crepes.example', '\xff', ''] },
    { CNAME: ['b.example'] },
  ),
)
const names = [
  'crepes.example',
  'a.example',
  'b.example',
  '_dmarc.crepes.example',
  '_dmarc.example',
  '1.2.0.192.in-addr.arpa',
]
const zones = fc.tuple(...names.map(() => reply)).map((all) => {
  return Object.fromEntries(names.map((name, index) => [name, all[index]])) as RecordMap
})

test('whatever DNS says, SPF, DMARC and iprev have a result, and ask no more than they may', () =>
  check(
    fc.asyncProperty(
      zones,
      any(joined(['a', '@', '.', 'crepes.example', '"', ' '], 6)),
      async (records, path) => {
        const resolver = mapResolver(records)
        const world = { resolver, hostname: 'mx.example', now: () => 0 }
        const spf = await checkSpf(world, {
          address: '192.0.2.1',
          helo: 'a.example',
          reversePath: `${path}@crepes.example`,
        })
        assert.ok(spf.lookups <= 11 && spf.voidLookups <= 3)
        // A record each for 11 terms, ten hosts for each of ten mx, ten names of a ptr, and an explanation.
        assert.ok(resolver.asked.length <= 150, String(resolver.asked.length))
        assert.equal(spf.reason === null, !['none', 'permerror', 'temperror'].includes(spf.result))
        await evaluateDmarc(resolver, { authorDomain: 'crepes.example', spf, dkim: [] })
        await checkIprev(resolver, '192.0.2.1')
      },
    ),
  ))

/** Messages that were sealed and signed, with something in them changed. */
const vectors = [
  'arc/mail-auth-1.txt',
  'arc/mail-auth-2.txt',
  'dkim/mail-auth-1.txt',
  'dkim/mail-auth-3.txt',
].map((name) => corpus(name).replace(/\r?\n/g, '\r\n'))

test('a message that is changed, cut and mixed up has a verdict', () =>
  check(
    fc.asyncProperty(
      fc.constantFrom(...vectors),
      fc.array(fc.tuple(fc.nat(12_000), fc.nat(40), any(tags)), { maxLength: 4 }),
      fc.array(fc.nat(12_000), { maxLength: 4 }),
      async (vector, changes, cuts) => {
        const empty = vector.indexOf('\r\n\r\n')
        let message = vector.slice(empty + 4)
        for (const [at, length, text] of changes) {
          const from = at % message.length
          message = message.slice(0, from) + text + message.slice(from + length)
        }
        const records: Record<string, { TXT: string[] }> = {}
        for (const line of vector.slice(0, empty).split('\r\n')) {
          records[line.slice(0, line.indexOf(' '))] = { TXT: [line.slice(line.indexOf(' ') + 1)] }
        }
        const verify = async (places: readonly number[]) => {
          const world = { resolver: mapResolver(records), keys: new KeyCache(), now: () => 1_700_000_000_000 }
          const verifier = new MessageVerifier(world, testLimits)
          const sorted = [
            0,
            ...places.map((cut) => cut % (message.length + 1)).sort((a, b) => a - b),
            message.length,
          ]
          for (let n = 1; n < sorted.length; n++) {
            verifier.push(Buffer.from(message.slice(sorted[n - 1], sorted[n]), 'latin1'))
          }
          return verifier.finish()
        }
        assert.deepEqual(await verify(cuts), await verify([]))
      },
    ),
    Math.ceil(numRuns / 2),
  ))
