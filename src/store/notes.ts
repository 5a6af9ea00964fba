/**
 * What the guards remember about the world outside: small values by name, each with an end. Losing the last seconds of
 * them in a crash loses no mail; they are kept in memory within bounds and written behind.
 */
import type { Json } from '../journey/event.ts'

export interface Note {
  readonly value: Json
  /** Milliseconds since 1970; after it the note is as good as gone. */
  readonly expiresAt: number
}

export interface Notes {
  /**
   * @param kind What it is about, `greylist`, `ban` …; each kind has `limits.notesPerKind` at most, and the one written
   *   longest ago makes room.
   * @param key At most 512 octets; a longer one is replaced by its hash.
   */
  get(kind: string, key: string): Note | null
  put(kind: string, key: string, value: Json, expiresAt: number): void
  delete(kind: string, key: string): void
  /** Oldest written first. */
  list(kind: string): Iterable<readonly [key: string, note: Note]>
  /** Fulfilled when what was put before is on disk. */
  flush(): Promise<void>
  close(): Promise<void>
}
