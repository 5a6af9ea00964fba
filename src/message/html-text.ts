/** Elements that begin on a line of their own. */
const BLOCKS = new Set(
  'address article blockquote br dd div dl dt footer h1 h2 h3 h4 h5 h6 header hr li main ol p pre section table td tr ul'.split(
    ' ',
  ),
)

/** Elements whose content is not text for people. */
const HIDDEN = new Set(['head', 'script', 'style', 'title', 'noscript', 'template'])

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  shy: '',
  zwnj: '',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  bull: '•',
  euro: '€',
  copy: '©',
  reg: '®',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  Auml: 'Ä',
  Ouml: 'Ö',
  Uuml: 'Ü',
  szlig: 'ß',
  eacute: 'é',
  egrave: 'è',
  agrave: 'à',
  ccedil: 'ç',
}

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return Object.hasOwn(ENTITIES, name) ? (ENTITIES[name] as string) : whole
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
      ? String.fromCodePoint(code)
      : '\ufffd'
  })
}

/**
 * What is left of HTML when its tags are taken away, for a terminal or an index; not safe HTML, not nice text. One
 * pass: nothing is searched for twice, so no arrangement of brackets makes it slow.
 */
export function htmlToText(html: string): string {
  const pieces: string[] = []
  // Only ASCII, so that every index means the same in both.
  const lower = /[^\x00-\x7f]/.test(html)
    ? html.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    : html.toLowerCase()
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    if (open < 0) break
    pieces.push(html.slice(at, open).replace(/\s+/g, ' '))
    if (lower.startsWith('<!--', open)) {
      at = endOf(html, '-->', open + 4)
      continue
    }
    const tag = /^<(\/?)([a-z][a-z0-9]*)/.exec(lower.slice(open, open + 20))
    // A bracket that begins no tag is text.
    if (tag === null && !/[!?/]/.test(html.charAt(open + 1))) {
      pieces.push('<')
      at = open + 1
      continue
    }
    at = endOf(html, '>', open)
    const name = tag?.[2] ?? ''
    if (BLOCKS.has(name)) pieces.push('\n')
    if (HIDDEN.has(name) && tag?.[1] === '') at = endOf(html, '>', indexOrEnd(lower, `</${name}`, at))
  }
  pieces.push(html.slice(at).replace(/\s+/g, ' '))
  const lines = decodeEntities(pieces.join('')).split('\n')
  const text = lines
    .map((line) => (/\t| {2}/.test(line) ? line.replace(/[ \t]+/g, ' ') : line).trim())
    .join('\n')
  return text.replace(/\n{3,}/g, '\n\n').trim()
}

function indexOrEnd(text: string, what: string, from: number): number {
  const index = text.indexOf(what, from)
  return index < 0 ? text.length : index
}

function endOf(text: string, what: string, from: number): number {
  return Math.min(text.length, indexOrEnd(text, what, from) + what.length)
}
