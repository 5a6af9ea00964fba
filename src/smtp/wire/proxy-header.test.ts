import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readProxyHeader } from './proxy-header.ts'

const signature = '0d0a0d0a000d0a515549540a'
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const line = (text: string): Buffer => Buffer.from(text, 'latin1')

const v4 = { remoteAddress: '192.0.2.1', remotePort: 56324, localAddress: '192.0.2.2', localPort: 25 }
const v6 = { remoteAddress: '2001:db8::1', remotePort: 56324, localAddress: '2001:db8::2', localPort: 25 }

const good: [title: string, octets: Buffer, addresses: object | null][] = [
  ['TCP4', line('PROXY TCP4 192.0.2.1 192.0.2.2 56324 25\r\n'), v4],
  ['TCP6', line('PROXY TCP6 2001:db8::1 2001:db8::2 56324 25\r\n'), v6],
  ['UNKNOWN', line('PROXY UNKNOWN\r\n'), null],
  ['UNKNOWN with more', line('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), null],
  ['binary IPv4', hex(`${signature} 21 11 000c c0000201 c0000202 dc04 0019`), v4],
  [
    'binary IPv4 with further fields',
    hex(`${signature} 21 11 0011 c0000201 c0000202 dc04 0019 04 0002 ffff`),
    v4,
  ],
  [
    'binary IPv6',
    hex(
      `${signature} 21 21 0024 ${'20010db8'}${'00'.repeat(11)}01 ${'20010db8'}${'00'.repeat(11)}02 dc04 0019`,
    ),
    v6,
  ],
  ['binary LOCAL', hex(`${signature} 20 00 0000`), null],
  ['binary UNIX', hex(`${signature} 21 31 00d8 ${'00'.repeat(216)}`), null],
]

for (const [title, octets, addresses] of good) {
  test(`PROXY ${title} is read, however little has come of it`, () => {
    for (let came = 0; came < octets.length; came++)
      assert.equal(readProxyHeader(octets.subarray(0, came)).kind, 'more')
    for (const behind of ['', 'EHLO x\r\n', '\0\x16\x03']) {
      const header = readProxyHeader(Buffer.concat([octets, line(behind)]))
      assert.deepEqual(header, { kind: 'header', octets: octets.length, addresses })
    }
  })
}

for (const [title, octets] of [
  ['nothing of the kind', line('EHLO crepes.fr\r\n')],
  ['lower case', line('proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n')],
  ['no address', line('PROXY TCP4 192.0.2.300 192.0.2.2 1 2\r\n')],
  ['an address of the other family', line('PROXY TCP4 ::1 ::1 1 2\r\n')],
  ['no port', line('PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n')],
  ['two spaces', line('PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n')],
  ['an endless line', line(`PROXY UNKNOWN ${'x'.repeat(200)}`)],
  ['another version', hex(`${signature} 31 11 000c c0000201 c0000202 dc04 0019`)],
  ['another command', hex(`${signature} 22 11 000c c0000201 c0000202 dc04 0019`)],
  ['addresses cut off', hex(`${signature} 21 11 0004 c0000201`)],
  ['a binary header over 16 KB', hex(`${signature} 21 11 ffff`)],
] as [string, Buffer][]) {
  test(`PROXY: ${title} is refused`, () => assert.equal(readProxyHeader(octets).kind, 'bad'))
}

test('PROXY: no octets bring out anything but a header, more or bad', () => {
  const start = fc.constantFrom(
    '',
    'PROXY ',
    'PROXY TCP4 ',
    '\r\n\r\n\0\r\nQUIT\n',
    '\r\n\r\n\0\r\nQUIT\n\x21\x11',
  )
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 300 }), (head, tail) => {
      const octets = Buffer.concat([line(head), tail])
      const header = readProxyHeader(octets)
      if (header.kind === 'header') assert.ok(header.octets <= octets.length)
    }),
    { numRuns: 2_000 },
  )
})
