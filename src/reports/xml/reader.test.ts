import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeXml } from './decode.ts'
import { BadXml, readXml, type XmlBounds, type XmlName } from './reader.ts'
import { escapeXml } from './write.ts'

const bounds: XmlBounds = { depth: 5, elements: 20, attributes: 4, nameChars: 20, valueChars: 100 }

/** What a document says, as one line. */
function said(document: string, within = bounds): string {
  let line = ''
  const shown = ({ namespace, local }: XmlName): string =>
    namespace === '' ? local : `{${namespace}}${local}`
  readXml(
    document,
    {
      open: (name) => (line += `<${shown(name)}>`),
      text: (text) => (line += text),
      close: (name) => (line += `</${shown(name)}>`),
    },
    within,
  )
  return line
}

test('what is well-formed is told as it stands', () => {
  for (const [document, told] of [
    ['<a/>', '<a></a>'],
    ['<?xml version="1.0" encoding="utf-8"?>\n<!-- - --><a>x</a>\n', '<a>x</a>'],
    ['\ufeff<a\n>x</a\t>', '<a>x</a>'],
    ['<a>1 &lt; 2 &amp;&#x26;&#38; &quot;&apos;&gt;</a>', `<a>1 < 2 &&& "'></a>`],
    ['<a><![CDATA[<b>&amp;]]]]></a>', '<a><b>&amp;]]</a>'],
    ['<a b="1" c=\'"\'><b/><?php x?></a>', '<a><b></b></a>'],
    ['<a xmlns="u:x"><b/><c xmlns=""/></a>', '<{u:x}a><{u:x}b></{u:x}b><c></c></{u:x}a>'],
    ['<p:a xmlns:p="u:x"><a/></p:a>', '<{u:x}a><a></a></{u:x}a>'],
    ['<a>one\r\ntwo\rthree</a>', '<a>one\ntwo\nthree</a>'],
    ['<é>ü😀</é>', '<é>ü😀</é>'],
  ] as const) {
    assert.equal(said(document), told, document)
  }
})

test('what is not well-formed, or asks for more than text, is refused', () => {
  for (const document of [
    '',
    'x',
    '<a>',
    '</a>',
    '<a></b>',
    '<a/><b/>',
    '<a/>x',
    'x<a/>',
    '<a b=1/>',
    '<a b="1" b="2"/>',
    '<a b="1"c="2"/>',
    '<a b="<"/>',
    '<a>&nbsp;</a>',
    '<a>&amp</a>',
    '<a>& b</a>',
    '<a>&#0;</a>',
    '<a>&#x110000;</a>',
    '<a>&#xd800;</a>',
    '<a>\x00</a>',
    '<a>\x01</a>',
    '<a>]]></a>',
    '<a><!-- -- --></a>',
    '<a><!-- </a>',
    '<a><![CDATA[ </a>',
    '<![CDATA[x]]><a/>',
    '<a><?x </a>',
    ' <?xml version="1.0"?><a/>',
    '<p:a/>',
    '<a:b:c/>',
    '<1a/>',
    '<a',
    '<a b="',
    '<!DOCTYPE a><a/>',
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<a><!ELEMENT b ANY></a>',
  ]) {
    assert.throws(() => said(document), BadXml, JSON.stringify(document))
  }
})

test('a billion laughs is one refusal', () => {
  const entities = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`)
  const document = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">${entities.join('')}]><x>&l9;</x>`
  assert.throws(() => said(document), /document type/)
})

test('each bound is one', () => {
  const open = '<a>'.repeat(6)
  assert.throws(() => said(open + '</a>'.repeat(6)), /deeper than 5/)
  assert.throws(() => said(`<a>${'<b/>'.repeat(20)}</a>`), /more than 20 elements/)
  assert.throws(() => said('<a b="" c="" d="" e="" f=""/>'), /more than 4 attributes/)
  assert.throws(() => said(`<${'a'.repeat(21)}/>`), /name is too long/)
  assert.throws(() => said(`<a b="${'c'.repeat(101)}"/>`), /too long/)
  assert.throws(() => said('<a xmlns:b="1" xmlns:c="2"><a xmlns:d="3"/></a>'), /too many namespaces/)
})

test('text that is written is read again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      const clean = text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '?')
      assert.equal(said(`<a>${escapeXml(text)}</a>`), `<a>${clean}</a>`)
    }),
  )
})

test('no text brings out anything but events or a refusal', () => {
  const pieces = fc.constantFrom(
    '<',
    '>',
    '/',
    'a',
    '<a>',
    '</a>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '&',
    ';',
    '#x',
    '"',
    '=',
    ' ',
    ':',
    'xmlns',
    '<?',
    '?>',
    '<!DOCTYPE',
    '\u0000',
    '\ud800',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      try {
        said(parts.join(''))
      } catch (error) {
        assert.ok(error instanceof BadXml, String(error))
      }
    }),
    { numRuns: 3_000 },
  )
})

test('an encoding is what the first octets or the declaration say', () => {
  const latin = (text: string): Uint8Array => Buffer.from(text, 'latin1')
  assert.equal(decodeXml(Buffer.from('<a>ü</a>')), '<a>ü</a>')
  assert.equal(decodeXml(latin('<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>')).slice(-8), '<a>ü</a>')
  assert.equal(decodeXml(Buffer.from('\ufeff<a>ü</a>', 'utf16le')), '<a>ü</a>')
  assert.equal(decodeXml(Buffer.from('\ufeff<a/>')), '<a/>')
  assert.throws(() => decodeXml(latin('<a>ü</a>')), /not utf-8/)
  assert.throws(() => decodeXml(latin('<?xml version="1.0" encoding="us-ascii"?><a>ü</a>')), /not utf-8/)
  assert.throws(() => decodeXml(latin('<?xml version="1.0" encoding="EBCDIC"?><a/>')), /EBCDIC is not read/)
  assert.throws(() => decodeXml(Buffer.from('\ufeff<a/>', 'utf16le').subarray(0, 7)), /not utf-16le/)
  // Without the mark it is UTF-8 with octets that are no characters.
  assert.throws(() => said(decodeXml(Buffer.from('<a/>', 'utf16le'))), BadXml)
})
