import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readReportUris } from './report-uri.ts'

const mailto = (address: string, octetsMax: number | null = null) => ({
  ...{ kind: 'mailto', address, octetsMax },
  domain: address.slice(address.lastIndexOf('@') + 1),
})

test('addresses for reports are read, with what they say of their size', () => {
  for (const [text, ...uris] of [
    ['mailto:dmarc@crepes.fr', mailto('dmarc@crepes.fr')],
    ['MAILTO:Dmarc@CREPES.fr', mailto('Dmarc@crepes.fr')],
    [
      'mailto:a@crepes.fr!10m, mailto:b@x.example!50',
      mailto('a@crepes.fr', 10_485_760),
      mailto('b@x.example', 50),
    ],
    [
      'mailto:a@crepes.fr!1K,mailto:b@x.example!2g',
      mailto('a@crepes.fr', 1_024),
      mailto('b@x.example', 2 ** 31),
    ],
    ['mailto:a%2Bb@crepes.fr?subject=x', mailto('a+b@crepes.fr')],
    ['mailto:a@crepes.fr,mailto:a@crepes.fr', mailto('a@crepes.fr')],
    ['https://reports.example/v1?x=1', { kind: 'https', url: 'https://reports.example/v1?x=1' }],
    ['ftp://x, mailto:, mailto:a, mailto:@b, mailto:a@, x'],
    ['https://reports.example:8443/, https://me:pw@reports.example/, http://reports.example/'],
    ['mailto:a@crepes.fr!10x, mailto:a%0d%0ab@crepes.fr, mailto:%zz@crepes.fr, mailto:"a b"@crepes.fr'],
    ['mailto:a@b@crepes.fr'],
  ] as const) {
    assert.deepEqual(readReportUris(text), uris, text)
  }
})

test('no text brings out an address with a blank or a line end', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (a, b) => {
      for (const uri of readReportUris(`mailto:${a}@crepes.fr${b},${b}`)) {
        if (uri.kind === 'mailto') assert.match(uri.address, /^[\x21-\x7e]+$/)
      }
    }),
    { numRuns: 2_000 },
  )
})
