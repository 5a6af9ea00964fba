import { encodeWords } from './encoded-word.ts'

/**
 * One element of an address list in the form of IMAP's ENVELOPE, RFC 3501 §7.4.2.
 *
 * A mailbox has both `mailbox` and `host` (empty strings where the message has nothing). The start of a group has the
 * group's name as `mailbox` and no host; its end has neither.
 */
export interface Address {
  /** The display name without its quotes, encoded words not decoded. Null when there is none. */
  readonly name: string | null
  /** The local part without its quotes. */
  readonly mailbox: string | null
  /** The domain, or a domain literal with its brackets. */
  readonly host: string | null
  /** obs-route, RFC 5322 §4.4, without its colon: `@a.example,@b.example`. Nobody follows it; only ENVELOPE tells it. */
  readonly route?: string
}

/** Addresses of one field that are read; RFC 5321 §4.5.3.1.8 asks for 100, we take 1,000 in one transaction. */
export const ADDRESSES_IN_A_FIELD = 2000

const GROUP_END: Address = { name: null, mailbox: null, host: null }

/** A piece of a phrase or of an address, and whether white space or a comment stood before it. */
interface Word {
  readonly text: string
  readonly spaced: boolean
}

/** Words of one address that are kept; a name of more is no name. */
const WORDS = 200

/** What ends an atom, by code; everything else, dots and 8-bit characters too, is taken as part of it. */
const ENDS_ATOM = new Uint8Array(128)
for (let code = 0; code <= 32; code++) ENDS_ATOM[code] = 1
for (const character of '"(),:;<>@[]') ENDS_ATOM[character.charCodeAt(0)] = 1

/**
 * The plainest and commonest forms, `ada@client.example`, `Ada <ada@client.example>` and `"Ada" <ada@client.example>`, each
 * with the separator behind it.
 */
const SIMPLE =
  / *(?:(?:([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*) |"([^"\\]*)" ?)?<([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+)@([A-Za-z0-9.-]+)>|([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+)@([A-Za-z0-9.-]+)) *(?:,|$)/y
/** In a longer text nobody looks for them: a pattern that fails late costs what the reader costs again. */
const SIMPLE_CHARS = 1000

function atomEnd(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code < 128 && ENDS_ATOM[code] === 1) break
    at++
  }
  return at
}

/** Reads an address list from left to right; no character is looked at more than a few times. */
class AddressReader {
  readonly #text: string
  #at = 0
  #inGroup = false
  /** Words of the address being read. */
  #words: Word[] = []
  #comment: string | null = null
  #spaced = false
  // Set when an opening character has no partner in the rest, so that no later one is searched for either.
  #unclosedQuote = false
  #unclosedComment = false
  #unclosedLiteral = false

  constructor(text: string) {
    this.#text = text
  }

  read(limit: number): Address[] {
    const list: Address[] = []
    while (this.#at < this.#text.length && list.length < limit) this.#one(list)
    if (this.#inGroup) list.push(GROUP_END)
    return list
  }

  /** Reads up to and with the next separator. address = mailbox / group ; RFC 5322 §3.4 */
  #one(list: Address[]): void {
    if (!this.#inGroup && this.#text.length < SIMPLE_CHARS) {
      const simple = this.#simple()
      if (simple !== null) {
        list.push(simple)
        return
      }
    }
    this.#words = []
    this.#comment = null
    let angle: Address | null = null
    while (this.#at < this.#text.length) {
      const character = this.#skip()
      if (character === ',' || character === ';' || character === '') {
        this.#at++
        this.#push(list, angle)
        if (character === ';' && this.#inGroup) {
          this.#inGroup = false
          list.push(GROUP_END)
        }
        return
      }
      if (character === ':' && angle === null && !this.#inGroup && this.#words.length > 0) {
        this.#at++
        this.#inGroup = true
        list.push({ name: null, mailbox: phrase(this.#words), host: null })
        return
      }
      if (character === '<' && angle === null) angle = this.#angle()
      else this.#word(character)
    }
    this.#push(list, angle)
  }

  /** One of the commonest forms, with the separator behind it. */
  #simple(): Address | null {
    SIMPLE.lastIndex = this.#at
    const found = SIMPLE.exec(this.#text)
    if (found === null) return null
    this.#at = SIMPLE.lastIndex
    return found[3] === undefined
      ? { name: null, mailbox: found[5]!, host: found[6]! }
      : { name: (found[1] ?? found[2]) || null, mailbox: found[3], host: found[4]! }
  }

  #push(list: Address[], angle: Address | null): void {
    const name = angle === null || this.#words.length === 0 ? this.#comment : phrase(this.#words)
    if (angle !== null) {
      if (angle.mailbox !== '' || angle.host !== '' || name !== null)
        list.push({ ...angle, name: name || null })
    } else if (this.#words.length > 0) list.push(bareAddress(this.#words, this.#comment))
  }

  /** [CFWS] "<" [obs-route] addr-spec ">" [CFWS] ; RFC 5322 §3.4 and §4.4 */
  #angle(): Address {
    const outer = this.#words
    let route: string | null = null
    this.#words = []
    this.#at++
    while (this.#at < this.#text.length) {
      const character = this.#skip()
      if (character === '>') {
        this.#at++
        break
      }
      const inRoute = this.#words[0]?.text === '@'
      if (character === '' || character === ';' || character === '<' || (character === ',' && !inRoute)) break
      if (character === ':' && inRoute) {
        route = this.#words.map((word) => (word.text === '@' ? ',@' : word.text)).join('')
        this.#words = []
      }
      this.#word(character)
    }
    const words = this.#words
    this.#words = outer
    const sign = words.findLastIndex((word) => word.text === '@')
    const local = sign < 0 ? words : words.slice(0, sign)
    const host = sign < 0 ? [] : words.slice(sign + 1)
    const address = { name: null, mailbox: addressText(local), host: host.map((word) => word.text).join('') }
    return route === null ? address : { ...address, route: route.slice(1) }
  }

  /** White space and comments, RFC 5322 §3.2.2. Returns the character that follows, '' at the end. */
  #skip(): string {
    this.#spaced = false
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at)
      if (code === 40 && !this.#unclosedComment) {
        if (!this.#skipComment()) return '('
        this.#spaced = true
      } else if (code <= 32) this.#spaced = true
      else return this.#text.charAt(this.#at)
    }
    return ''
  }

  /** Leaves `at` on the closing bracket; false when there is none. */
  #skipComment(): boolean {
    let depth = 0
    for (let index = this.#at; index < this.#text.length; index++) {
      const code = this.#text.charCodeAt(index)
      if (code === 92) index++
      else if (code === 40) depth++
      else if (code === 41 && --depth === 0) {
        const text = this.#text.slice(this.#at + 1, index)
        this.#comment = (text.includes('\\') ? text.replace(/\\(.)/g, '$1') : text).trim() || null
        this.#at = index
        return true
      }
    }
    this.#unclosedComment = true
    return false
  }

  /** word = atom / quoted-string, or one of the characters that a list of words has no use for. */
  #word(character: string): void {
    const spaced = this.#spaced
    if (character === '@') {
      this.#at++
      this.#keep({ text: '@', spaced })
      return
    }
    if (character === '"' && !this.#unclosedQuote) {
      const text = this.#quoted()
      // An empty quoted string counts: "" <ada@client.example>
      if (text !== null) {
        this.#keep({ text, spaced })
        return
      }
    }
    if (character === '[' && !this.#unclosedLiteral) {
      const end = this.#text.indexOf(']', this.#at)
      if (end >= 0) {
        this.#keep({ text: this.#text.slice(this.#at, end + 1).replace(/\s/g, ''), spaced })
        this.#at = end + 1
        return
      }
      this.#unclosedLiteral = true
    }
    const end = atomEnd(this.#text, this.#at)
    // Nothing there: a stray special, passed over.
    if (end === this.#at) this.#at++
    else {
      this.#keep({ text: this.#text.slice(this.#at, end), spaced })
      this.#at = end
    }
  }

  #keep(word: Word): void {
    if (this.#words.length < WORDS) this.#words.push(word)
  }

  #quoted(): string | null {
    let text = ''
    let from = this.#at + 1
    for (let index = from; index < this.#text.length; index++) {
      const character = this.#text[index]
      if (character === '\\') {
        text += this.#text.slice(from, index)
        from = ++index
      } else if (character === '"') {
        this.#at = index + 1
        return text + this.#text.slice(from, index)
      }
    }
    this.#unclosedQuote = true
    return null
  }
}

/** phrase = 1*word ; RFC 5322 §3.2.5 */
function phrase(words: readonly Word[]): string {
  let text = ''
  for (const word of words) text += word.spaced && text !== '' ? ' ' + word.text : word.text
  return text
}

/** RFC 5322 §4.4: obs-local-part and obs-domain allow white space around the dots. */
function addressText(words: readonly Word[]): string {
  let text = ''
  for (const [index, word] of words.entries()) {
    // Asked of the word before, not of `text`: to look into a string that grows would copy it each time.
    const glued =
      !word.spaced || index === 0 || words[index - 1]?.text.endsWith('.') || word.text.startsWith('.')
    text += glued ? word.text : ' ' + word.text
  }
  return text
}

/** An address without angle brackets: words around the `@` that dots or closeness bind to it; others are its name. */
function bareAddress(words: readonly Word[], comment: string | null): Address {
  const sign = words.findLastIndex((word) => word.text === '@')
  if (sign < 0) return { name: comment, mailbox: phrase(words), host: '' }
  const bound = (left: Word | undefined, right: Word | undefined) =>
    left !== undefined &&
    right !== undefined &&
    (!right.spaced || left.text.endsWith('.') || right.text[0] === '.')
  let first = Math.max(0, sign - 1)
  while (first > 0 && bound(words[first - 1], words[first])) first--
  let last = Math.min(words.length - 1, sign + 1)
  while (last + 1 < words.length && bound(words[last], words[last + 1])) last++
  return {
    name: (first > 0 ? phrase(words.slice(0, first)) : comment) || null,
    mailbox: addressText(words.slice(first, sign)),
    host: words
      .slice(sign + 1, last + 1)
      .map((word) => word.text)
      .join(''),
  }
}

/**
 * address-list = (address *("," address)) / obs-addr-list ; RFC 5322 §3.4
 *
 * Takes what the world writes: routes, groups, comments, names with 8-bit text or dots, semicolons as separators,
 * things never closed. Junk yields junk addresses or none, never an error, in time linear in the text.
 *
 * @param text Unfolded.
 * @param limit Elements at most; the rest is left out.
 */
export function parseAddressList(text: string, limit: number = ADDRESSES_IN_A_FIELD): Address[] {
  return limit <= 0 ? [] : new AddressReader(text).read(limit)
}

/** Characters that may not pass into a header field as they are: a line end would begin another field. */
const CONTROLS = /[\x00-\x1f\x7f]+/g

function quoteString(text: string): string {
  return '"' + text.replace(/["\\]/g, '\\$&') + '"'
}

/** local-part = dot-atom / quoted-string ; RFC 5322 §3.4.1, 8-bit characters as RFC 6532 §3.2 allows */
function formatLocalPart(localPart: string): string {
  const text = localPart.replace(CONTROLS, '')
  const dotAtom = /^[\w!#$%&'*+/=?^`{|}~\-\x80-\uffff]+(\.[\w!#$%&'*+/=?^`{|}~\-\x80-\uffff]+)*$/
  return dotAtom.test(text) ? text : quoteString(text)
}

function formatPhrase(name: string): string {
  const text = name.replace(CONTROLS, ' ')
  // RFC 2047 §5 (3): beside encoded words only atoms may stand; blanks at an end would be lost.
  if (/[^ -~]|=\?/.test(text)) return encodeWords(text, /[^\w!#$%&'*+/=?^`{|}~-]|^$/)
  return /^[\w!#$%&'*+/=?^`{|}~-]+( [\w!#$%&'*+/=?^`{|}~-]+)*$/.test(text) ? text : quoteString(text)
}

/** The address alone, `ada@client.example`, as it stands between angle brackets. */
export function formatAddrSpec(address: Address): string {
  const literal = address.host?.startsWith('[')
    ? /[\x00-\x20\x7f<>(),;"@]+/g
    : /[\x00-\x20\x7f<>(),;:"@[\]\\]+/g
  const host = (address.host ?? '').replace(literal, '')
  const local = formatLocalPart(address.mailbox ?? '')
  return host === '' ? local : `${local}@${host}`
}

/**
 * One mailbox for a header field: `"Ada L." <ada@client.example>`. Names that are not ASCII become encoded words;
 * the domain is left as it is. No control character passes.
 */
export function formatAddress(address: Address): string {
  const spec = formatAddrSpec(address)
  return address.name === null || address.name === '' ? spec : `${formatPhrase(address.name)} <${spec}>`
}

/** A list with its groups, not folded: what `parseAddressList` reads as the same list. */
export function formatAddressList(list: readonly Address[]): string {
  let text = ''
  let separator = ''
  for (const address of list) {
    if (address.host !== null) {
      text += separator + formatAddress(address)
      separator = ', '
    } else if (address.mailbox !== null) {
      text += `${separator}${formatPhrase(address.mailbox)}: `
      separator = ''
    } else {
      text += ';'
      separator = ', '
    }
  }
  return text
}
