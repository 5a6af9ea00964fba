/**
 * Cuts JavaScript or TypeScript into tokens, well enough to find imports and the ends of functions.
 *
 * It knows strings, templates, comments, numbers and regular expressions, so that a brace inside of one is not
 * taken for a brace. Whether `/` divides or opens a regular expression is decided by the token before it. A
 * string or regular expression that does not end on its line is taken for punctuation, so that JSX text such
 * as `Don't` spoils one line at most.
 */

/** `template` is one literal part: from a backtick or `}` to `${` or the closing backtick. */
export type TokenKind = 'word' | 'number' | 'string' | 'template' | 'regex' | 'punctuation'

export interface Token {
  readonly kind: TokenKind
  /** As written, quotes included. `=>` and `?.` are one token, other punctuation is single characters. */
  readonly text: string
  /** Offset of the first character. */
  readonly start: number
  /** Line of the first character, from 1. */
  readonly line: number
  /** Line of the last character. */
  readonly endLine: number
}

const WORD = /[\p{ID_Start}$_#@\\][\p{ID_Continue}$\u200c\u200d]*/uy
const NUMBER = /\.?\d[\w.]*/y
const SPACE = /\s+/y
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y
const REGEX = /\/(?:[^/\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+\/[a-z]*/y
const TEMPLATE_PART = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{|$)/y
const SHEBANG = /^#![^\n]*/

/** After these words an expression begins, so `/` opens a regular expression. */
const BEFORE_EXPRESSION = new Set(
  'await case delete do else in instanceof new of return throw typeof void yield'.split(' '),
)

/** Cuts source text into tokens, comments and white space left out. Never throws. */
export function tokenize(source: string): Token[] {
  return new Tokenizer(source).run()
}

/** What stands between the quotes of a string token; escapes are left as they are. */
export function unquote(token: Token): string {
  return token.text.slice(1, -1)
}

class Tokenizer {
  readonly #source: string
  readonly #tokens: Token[] = []
  /** One entry for each open `{` or `${`: whether its `}` continues a template. */
  readonly #braces: boolean[] = []
  /** For each open `(`, the index of its token. */
  readonly #parentheses: number[] = []
  #afterCondition = false
  #offset = 0
  #line = 1

  constructor(source: string) {
    this.#source = source
  }

  run(): Token[] {
    this.#skip(SHEBANG.exec(this.#source)?.[0] ?? '')
    while (this.#offset < this.#source.length) {
      const blank = this.#match(SPACE) ?? this.#match(COMMENT)
      if (blank !== null) this.#skip(blank)
      else this.#next()
    }
    return this.#tokens
  }

  #next(): void {
    const char = this.#source[this.#offset]!
    const literal = this.#match(STRING)
    const word = this.#match(WORD)
    const number = this.#match(NUMBER)
    if (literal !== null) this.#push('string', literal)
    else if (word !== null) this.#push('word', word)
    else if (number !== null) this.#push('number', number)
    else if (char === '`' || (char === '}' && this.#braces.pop() === true)) this.#template()
    else {
      const regex = char === '/' && this.#expectsExpression() ? this.#match(REGEX) : null
      if (regex !== null) this.#push('regex', regex)
      else this.#punctuation(char)
    }
  }

  #punctuation(char: string): void {
    const pair = this.#source.slice(this.#offset, this.#offset + 2)
    if (char === '{') this.#braces.push(false)
    if (char === '(') this.#parentheses.push(this.#tokens.length)
    const opening = char === ')' ? this.#parentheses.pop() : undefined
    const before = opening === undefined ? undefined : this.#tokens[opening - 1]
    this.#push('punctuation', pair === '=>' || pair === '?.' ? pair : char)
    this.#afterCondition = before !== undefined && ['if', 'while', 'for', 'with'].includes(before.text)
  }

  /** Reads a literal part; the current character is the backtick or brace before it. */
  #template(): void {
    TEMPLATE_PART.lastIndex = this.#offset + 1
    const text = this.#source[this.#offset] + (TEMPLATE_PART.exec(this.#source)?.[0] ?? '')
    if (text.endsWith('${')) this.#braces.push(true)
    this.#push('template', text)
  }

  #expectsExpression(): boolean {
    const before = this.#tokens.at(-1)
    if (before === undefined) return true
    if (before.kind === 'word') return BEFORE_EXPRESSION.has(before.text)
    if (before.kind === 'template') return before.text.endsWith('${')
    if (before.kind !== 'punctuation') return false
    if (before.text === ')') return this.#afterCondition
    return before.text !== ']' && before.text !== '}'
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#offset
    return pattern.exec(this.#source)?.[0] ?? null
  }

  #push(kind: TokenKind, text: string): void {
    const [start, line] = [this.#offset, this.#line]
    this.#skip(text)
    this.#tokens.push({ kind, text, start, line, endLine: this.#line })
  }

  #skip(text: string): void {
    this.#offset += text.length
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#line++
  }
}
