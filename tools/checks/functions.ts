/**
 * Finds the functions of a source file and how many lines each takes.
 *
 * Works on tokens, without a grammar: a `{` is classified by what stands before it. That is exact enough for
 * finding long functions, because what could be confused with a body (a class, an object, a switch) is
 * recognised by its own sign.
 */
import { type Token, tokenize } from './tokens.ts'

export interface FunctionSize {
  /** The name as far as one is visible, else `function`. */
  readonly name: string
  /** Line where the parameters begin, from 1. */
  readonly line: number
  /** From there to the end of the body, both counted. */
  readonly lines: number
}

const CONTROL = new Set(['if', 'for', 'while', 'switch', 'catch', 'with', 'await'])
/** Words that open a block of their own; the walk back from `{` over a return type stops at them. */
const NOT_A_RETURN_TYPE = new Set(
  'class interface extends implements enum namespace module declare type else try do finally catch static return new'.split(
    ' ',
  ),
)
const TYPE_PUNCTUATION = new Set([
  '.',
  '<',
  '>',
  ',',
  '|',
  '&',
  '=>',
  '[',
  ']',
  '(',
  ')',
  '{',
  '}',
  '?',
  '-',
  '+',
])

/** A function that calls one of these only groups tests; each test in it is measured by itself. */
const TESTS = new Set(['test', 'it'])

/**
 * Lists the functions, methods and arrow functions of a file, in the order of their ends.
 *
 * @returns Null when the brackets of the file do not match, which in valid TypeScript is a fault of the scanner.
 */
export function measureFunctions(source: string): FunctionSize[] | null {
  const tokens = tokenize(source)
  const partners = matchBrackets(tokens)
  if (partners === null) return null
  const found: FunctionSize[] = []
  for (let index = 0; index < tokens.length; index++) {
    const parameters = parametersBefore(tokens, partners, index)
    if (parameters === null) continue
    const end = bodyEnd(tokens, partners, index)
    if (end === null || isGroup(tokens.slice(index, end))) continue
    const line = tokens[parameters]!.line
    found.push({ name: nameBefore(tokens, parameters), line, lines: tokens[end]!.endLine - line + 1 })
  }
  return found
}

/** For each bracket the index of its partner. */
function matchBrackets(tokens: Token[]): Map<number, number> | null {
  const partners = new Map<number, number>()
  const open: number[] = []
  for (const [index, { kind, text }] of tokens.entries()) {
    const opens = kind === 'punctuation' && '([{'.includes(text)
    const closes = kind === 'punctuation' && ')]}'.includes(text)
    // A template part may close one ${ and open the next.
    if (closes || (kind === 'template' && text.startsWith('}'))) {
      const partner = open.pop()
      if (partner === undefined || !isPair(tokens[partner]!.text, text)) return null
      partners.set(partner, index).set(index, partner)
    }
    if (opens || (kind === 'template' && text.endsWith('${'))) open.push(index)
  }
  return open.length === 0 ? partners : null
}

function isPair(opening: string, closing: string): boolean {
  if (opening.endsWith('${')) return closing.startsWith('}')
  return ['()', '[]', '{}'].includes(opening + closing)
}

/** When a function body begins at `index`: the token its parameters begin with. Else null. */
function parametersBefore(tokens: Token[], partners: Map<number, number>, index: number): number | null {
  const [before, here] = [tokens[index - 1], tokens[index]!]
  if (before === undefined || here.kind === 'regex') return null
  if (before.text === '=>') return arrowParameters(tokens, partners, index - 1)
  if (here.text !== '{') return null
  if (before.text === ')') return methodParameters(tokens, partners.get(index - 1)!)
  return methodWithReturnType(tokens, partners, index - 1)
}

/** The parameters of the arrow at `arrow`; its return type may stand between. */
function arrowParameters(tokens: Token[], partners: Map<number, number>, arrow: number): number {
  if (tokens[arrow - 1]?.text === ')') return partners.get(arrow - 1)!
  return methodWithReturnType(tokens, partners, arrow - 1) ?? arrow - 1
}

/** A `(` belongs to a function unless a control word or a superclass expression stands before it. */
function methodParameters(tokens: Token[], opening: number): number | null {
  const word = tokens[opening - 1]
  if (word !== undefined && CONTROL.has(word.text)) return null
  let index = opening - 1
  while (
    index > 0 &&
    ['word', 'punctuation'].includes(tokens[index]!.kind) &&
    /^[\w$.]+$/.test(tokens[index]!.text)
  ) {
    index--
    if (tokens[index]!.text === 'extends') return null
  }
  return opening
}

/** Walks back from the last token of what may be a return type to the `)` and `:` before it. */
function methodWithReturnType(tokens: Token[], partners: Map<number, number>, last: number): number | null {
  let index = last
  while (index > 0) {
    const { kind, text } = tokens[index]!
    if (text === ':') return afterParameters(tokens, partners, index)
    if (kind === 'word' && NOT_A_RETURN_TYPE.has(text)) return null
    if (kind === 'punctuation' && !TYPE_PUNCTUATION.has(text)) return null
    const partner = partners.get(index) ?? index
    // An opening bracket around us, or text with ${}: no return type reaches across it.
    if (partner > index || kind === 'template') return null
    index = partner - 1
  }
  return null
}

function afterParameters(tokens: Token[], partners: Map<number, number>, colon: number): number | null {
  return tokens[colon - 1]?.text === ')' ? methodParameters(tokens, partners.get(colon - 1)!) : null
}

/**
 * The last token of the body that begins at `index`. Of an arrow without braces that is the end of the first
 * bracket, as far as it is reached on the same line or over dots.
 */
function bodyEnd(tokens: Token[], partners: Map<number, number>, index: number): number | null {
  let end = index
  while (end < tokens.length && !partners.has(end)) {
    const token = tokens[end]!
    const isDot = token.text === '.' || token.text === '?.'
    const isNewLine = end > index && !isDot && token.line > tokens[end - 1]!.endLine
    if (isNewLine || (token.kind === 'punctuation' && !isDot)) return end > index ? end - 1 : null
    end++
  }
  const partner = partners.get(end)
  return partner !== undefined && partner > end ? partner : end - 1
}

/** `test('…` or `it(\`…`, but not `t.test('…`, which is a step of a test. */
function isGroup(body: Token[]): boolean {
  return body.some(({ text }, index) => {
    const title = body[index + 2]?.kind
    const isCall =
      TESTS.has(text) && body[index + 1]?.text === '(' && (title === 'string' || title === 'template')
    return isCall && body[index - 1]?.text !== '.'
  })
}

function nameBefore(tokens: Token[], parameters: number): string {
  let index = parameters - 1
  while (index >= 0 && ['=', 'async', ':'].includes(tokens[index]!.text)) index--
  const token = tokens[index]
  return token?.kind === 'word' && token.text !== 'function' ? token.text : 'function'
}
