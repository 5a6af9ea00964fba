import { randomFillSync } from 'node:crypto'

/** Randomness, handed in. */
export interface Random {
  /** Octets fit for keys. @param length 1 to 1,024. */
  bytes(length: number): Uint8Array
}

/** Octets asked of the system at once: asking costs more than what it gives. */
const poolOctets = 4_096

/** The system's own; each octet is given out once. */
export const systemRandom: Random = pooledRandom()

function pooledRandom(): Random {
  const pool = new Uint8Array(poolOctets)
  let used = poolOctets
  return {
    bytes(length) {
      if (length > poolOctets) return randomFillSync(new Uint8Array(length))
      if (used + length > poolOctets) {
        randomFillSync(pool)
        used = 0
      }
      const octets = pool.slice(used, used + length)
      pool.fill(0, used, used + length)
      used += length
      return octets
    },
  }
}

/** Repeats itself for the same seed: tests only. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0 || 1
  return {
    bytes(length) {
      const octets = new Uint8Array(length)
      for (let i = 0; i < length; i++) {
        state ^= state << 13
        state >>>= 0
        state ^= state >>> 17
        state ^= state << 5
        state >>>= 0
        octets[i] = state & 0xff
      }
      return octets
    },
  }
}

const idAlphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * An id that sorts by the time it was made in: 9 chars of milliseconds, 7 random ones (35 bits).
 *
 * @returns 16 chars of Crockford's base 32, lower case.
 */
export function timeOrderedId(nowMs: number, random: Random): string {
  let head = ''
  for (let rest = nowMs, i = 0; i < 9; i++) {
    head = idAlphabet.charAt(rest % 32) + head
    rest = Math.floor(rest / 32)
  }
  let tail = ''
  for (const octet of random.bytes(7)) tail += idAlphabet.charAt(octet & 31)
  return head + tail
}
