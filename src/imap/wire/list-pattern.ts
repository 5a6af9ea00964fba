/**
 * Names against the patterns of LIST, RFC 3501 §6.3.8: `*` matches anything, `%` anything but the hierarchy separator.
 *
 * All positions of the pattern that could have been reached are kept as bits of words and moved along together, so
 * a name of n octets costs n times a few words, whatever the pattern: there is nothing to backtrack.
 */
export interface ListPattern {
  /** @param name As on the wire: modified UTF-7. */
  matches(name: string): boolean
}

/**
 * @param pattern As on the wire; wildcards cannot be part of a base64 run, so matching encoded names is right.
 * @param separator One char.
 */
export function compileListPattern(pattern: string, separator: string): ListPattern {
  // Neighbouring wildcards together match what the strongest of them matches.
  const steps = pattern.replace(/[*%]{2,}/g, (run) => (run.includes('*') ? '*' : '%'))
  const literals = steps.replace(/[*%]/g, '')
  const machine = buildMachine(steps, separator)
  return {
    matches(name) {
      if (literals.length > name.length) return false
      return run(machine, name)
    },
  }
}

interface Machine {
  readonly words: number
  /** For each char of the pattern: where it stands. Bit i: the step from position i to i + 1. */
  readonly steps: Map<string, Uint32Array>
  /** Positions that are wildcards; those that stay over a separator. */
  readonly wildcards: Uint32Array
  readonly stars: Uint32Array
  readonly separator: string
  /** The position after the last step. */
  readonly final: number
}

function buildMachine(pattern: string, separator: string): Machine {
  const words = (pattern.length >>> 5) + 1
  const steps = new Map<string, Uint32Array>()
  const wildcards = new Uint32Array(words)
  const stars = new Uint32Array(words)
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern.charAt(i)
    const bit = 1 << (i & 31)
    const word = i >>> 5
    if (char === '*') stars[word]! |= bit
    if (char === '*' || char === '%') {
      wildcards[word]! |= bit
      continue
    }
    let positions = steps.get(char)
    if (positions === undefined) steps.set(char, (positions = new Uint32Array(words)))
    positions[word]! |= bit
  }
  return { words, steps, wildcards, stars, separator, final: pattern.length }
}

function run(machine: Machine, name: string): boolean {
  const { words, wildcards, stars, separator, final } = machine
  const active = new Uint32Array(words)
  active[0] = 1
  passWildcards(active, wildcards)
  for (let n = 0; n < name.length; n++) {
    const char = name.charAt(n)
    const positions = machine.steps.get(char)
    const staying = char === separator ? stars : wildcards
    let carry = 0
    let any = 0
    for (let w = 0; w < words; w++) {
      const moved = positions === undefined ? 0 : active[w]! & positions[w]!
      const next = (active[w]! & staying[w]!) | (moved << 1) | carry
      carry = moved >>> 31
      active[w] = next
      any |= next
    }
    if (any === 0) return false
    passWildcards(active, wildcards)
  }
  return (active[final >>> 5]! & (1 << (final & 31))) !== 0
}

/** A wildcard may match nothing: who stands before one stands behind it too. No two are neighbours. */
function passWildcards(active: Uint32Array, wildcards: Uint32Array): void {
  let carry = 0
  for (let w = 0; w < active.length; w++) {
    const passed = active[w]! & wildcards[w]!
    active[w]! |= (passed << 1) | carry
    carry = passed >>> 31
  }
}
