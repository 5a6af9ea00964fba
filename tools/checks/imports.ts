/** Finds what a source file imports, in every form that ends in another file or package being read. */
import { type Token, tokenize, unquote } from './tokens.ts'

export interface Import {
  /** As written: `../base/clock.ts`, `node:fs`, `hono`. */
  readonly specifier: string
  readonly line: number
  /** Offset in the source of the first character inside the quotes. */
  readonly start: number
}

/**
 * Lists static imports and exports, `import type`, `import()` in values and types, and
 * `new URL('./x.ts', import.meta.url)`, by which workers are started.
 */
export function findImports(source: string): Import[] {
  const tokens = tokenize(source)
  const found: Import[] = []
  for (const [index, token] of tokens.entries()) {
    const specifier = specifierAt(tokens, index)
    if (token.kind !== 'word' || specifier === null) continue
    found.push({ specifier: unquote(specifier), line: specifier.line, start: specifier.start + 1 })
  }
  return found
}

function specifierAt(tokens: Token[], index: number): Token | null {
  const text = (ahead: number): string => tokens[index + ahead]?.text ?? ''
  const string = (ahead: number): Token | null => {
    const token = tokens[index + ahead]
    return token?.kind === 'string' ? token : null
  }
  if (text(-1) === '.') return null
  switch (text(0)) {
    case 'import':
      return text(1) === '(' ? string(2) : (string(1) ?? fromClause(tokens, index + 1))
    case 'export':
      return ['{', '*', 'type'].includes(text(1)) ? fromClause(tokens, index + 1) : null
    case 'URL':
      return text(1) === '(' && `${text(3)}${text(4)}` === ',import' ? string(2) : null
    default:
      return null
  }
}

/** The string after `from`, when only an import or export clause stands before it. */
function fromClause(tokens: Token[], start: number): Token | null {
  for (let index = start; index < tokens.length; index++) {
    const { kind, text } = tokens[index]!
    const next = tokens[index + 1]
    if (kind === 'word' && text === 'from' && next?.kind === 'string') return next
    const inClause = kind === 'word' || kind === 'string' || ['{', '}', ',', '*'].includes(text)
    if (!inClause) return null
  }
  return null
}
