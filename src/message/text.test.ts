import assert from 'node:assert/strict'
import { test } from 'node:test'
import { htmlToText } from './html-text.ts'
import { scanMessage } from './scan.ts'
import { attachments, partContent, plainTextOf, textParts } from './text.ts'

const message = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1')
const textOf = (octets: Buffer) => plainTextOf(octets, scanMessage(octets).root)

test('a text is decoded by its transfer encoding and charset', () => {
  const octets = message(
    'Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=\n=DFe\n',
  )
  assert.equal(textOf(octets), 'Grüße\n')
  assert.equal(textOf(message('Do you like ketchup?\n')), 'Do you like ketchup?\n')
  assert.equal(textOf(message('a: b\n\ncaf\xe9\n')), 'café\n')
})

const MIXED = message(`Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain

plain
--a
Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html

<b>rich</b>
--r
Content-Type: image/png; name="=?utf-8?Q?gr=C3=BCn.png?="
Content-ID: <i>

xxxx
--r--
--a--
--m
Content-Type: text/plain
Content-Disposition: attachment; filename="../../etc/passwd"

not shown
--m
Content-Type: message/rfc822

Subject: inside

x
--m
Content-Type: text/plain

end
--m--
`)

test('of alternatives the plain text is shown, of what is attached nothing', () => {
  assert.equal(textOf(MIXED), 'plain\nend')
  const html = textParts(scanMessage(MIXED).root, 'html')
  assert.deepEqual(
    html.map(({ subtype }) => subtype),
    ['html', 'plain'],
  )
})

test('attachments have a name that is no path, a type, and their numbers', () => {
  const list = attachments(scanMessage(MIXED).root)
  assert.deepEqual(
    list.map(({ name, type, octets, path }) => [name, type, octets, path.join('.')]),
    [
      ['grün.png', 'image/png', 4, '1.2.2'],
      ['passwd', 'text/plain', 9, '2'],
      ['inside.eml', 'message/rfc822', 20, '3'],
    ],
  )
  assert.equal(Buffer.from(partContent(MIXED, list[1]!.part)).toString(), 'not shown')
})

test('a message that is nothing but a file is one attachment, part 1', () => {
  const octets = message(
    'Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nQUJD\n',
  )
  const [only] = attachments(scanMessage(octets).root)
  assert.deepEqual([only?.name, only?.path, textOf(octets)], ['a.pdf', [1], ''])
})

const HTML: [html: string, text: string][] = [
  ['', ''],
  ['<p>Hello,<br>world</p>', 'Hello,\nworld'],
  ['<html><head><title>t</title></head><body>a  \n b</body></html>', 'a b'],
  ['<style>b { }</style>x<script>if (a<b) c()</script>y', 'xy'],
  ['a<!-- <b> -->b', 'ab'],
  ['1 &lt; 2 &amp;&amp; &#x263a; &#9786; &nope; &#0;', '1 < 2 && ☺ ☺ &nope; \ufffd'],
  ['1 < 2', '1 < 2'],
  ['<STYLE>x</Style>İ<B>y</B>', 'İy'],
  ['<!DOCTYPE html><?xml ?>x', 'x'],
  ['never <b closed', 'never'],
  ['<script>never closed', ''],
  ['<ul><li>a<li>b</ul>', 'a\nb'],
]

for (const [html, text] of HTML) {
  test(`HTML ${JSON.stringify(html)} says ${JSON.stringify(text)}`, () =>
    assert.equal(htmlToText(html), text))
}

test('HTML that is nothing but brackets is read in one pass', () => {
  for (const piece of ['<', '<style>', '<!--', '<a ', '&', '&#', '</', '<p>', '> <'])
    htmlToText(piece.repeat(100_000))
})
