/** One GeneralName of RFC 5280 §4.2.1.6 as Node prints it: `DNS`, `IP Address`, `email`, `URI`, … */
export interface AlternativeName {
  readonly kind: string
  readonly value: string
}

/**
 * Takes Node's text of a subjectAltName apart: `DNS:a.example, email:ada@a.example`. A value in which a comma or quote
 * would mislead stands there as a JSON string, so that nobody can write a second name into a first one.
 *
 * @returns What was read before the first thing that cannot be.
 */
export function alternativeNames(text: string): AlternativeName[] {
  const names: AlternativeName[] = []
  const one = /([A-Za-z0-9 .]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y
  while (one.lastIndex < text.length) {
    const found = one.exec(text)
    if (found === null) break
    const [, kind, value] = found as unknown as [string, string, string]
    names.push({ kind, value: value.startsWith('"') ? unquote(value) : value })
  }
  return names
}

function unquote(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return ''
  }
}
