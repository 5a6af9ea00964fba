/**
 * Holds imports to one way: a room of src/ imports from the lines under its own.
 *
 * The table is the one in docs; a need for the other direction is met by an interface that the lower
 * room declares and src/daemon fills.
 */
import { posix } from 'node:path'
import { findImports } from './imports.ts'
import type { SourceFile } from './source-files.ts'

/** Rooms from the highest line to the lowest. */
const LINES: readonly (readonly string[])[] = [
  ['cli'],
  ['lab', 'catch'],
  ['daemon'],
  ['smtp/server', 'imap/server', 'pop3/server', 'jmap/server', 'web', 'admin'],
  ['submission', 'delivery', 'queue', 'auth', 'transfer', 'smtp/guard', 'reports'],
  ['store', 'cluster'],
  ['mailauth', 'filter', 'junk', 'smtp/filter', 'smtp/client', 'dns', 'tls'],
  ['message', 'smtp/wire', 'imap/wire', 'pop3/wire', 'jmap/wire', 'sasl'],
  ['journey'],
  ['base'],
]

/** Neighbours on one line that may meet, in this direction only. */
const EXCEPTIONS = new Set([
  'delivery → queue',
  'submission → queue',
  'submission → delivery',
  'mailauth → dns',
  'smtp/client → dns',
  'smtp/client → tls',
  'smtp/guard → auth',
])

/** These never meet; what they share is an operation in store. */
const SEPARATE = new Set(['imap', 'pop3', 'jmap'])

const levels = new Map(LINES.flatMap((rooms, level) => rooms.map((room) => [room, level] as const)))

/** Says of each import of src/ that runs upward or sideways what is wrong with it. Tests are free. */
export function checkDirections(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.startsWith('src/') && !/\.test\.tsx?$/.test(path))
    .flatMap(({ path, text }) => {
      const room = roomOf(path)
      if (room === null) return [`${path}: src/ has no such room; the table is in tools/checks/directions.ts`]
      return findImports(text)
        .filter(({ specifier }) => /^\.\.?\//.test(specifier))
        .flatMap(({ specifier, line }) => {
          const problem = judge(room, posix.join(posix.dirname(path), specifier))
          return problem === null ? [] : [`${path}:${line}: ${problem}`]
        })
    })
}

/** The room a path belongs to, or null. Folders inside a room belong to it. */
export function roomOf(path: string): string | null {
  const [top, first = '', second = ''] = path.split('/')
  if (top !== 'src') return null
  return [first, `${first}/${second}`].find((room) => levels.has(room)) ?? null
}

function judge(from: string, target: string): string | null {
  // What stands beside src/ and is no code (package.json, the built web pages) belongs to nobody.
  if (!target.startsWith('src/'))
    return /\.tsx?$/.test(target) ? `imports ${target}, which is outside src/` : null
  const to = roomOf(target)
  if (to === null) return `imports ${target}, which is in no room`
  if (from === to || EXCEPTIONS.has(`${from} → ${to}`)) return null
  const [fromLevel, toLevel] = [levels.get(from)!, levels.get(to)!]
  if (fromLevel > toLevel)
    return `${from} imports ${to}, which is above it; declare an interface and let daemon fill it`
  if (fromLevel === toLevel)
    return `${from} imports ${to}, its neighbour; what both need belongs into a lower room`
  const [fromFamily, toFamily] = [from.split('/')[0]!, to.split('/')[0]!]
  const meet = fromFamily !== toFamily && SEPARATE.has(fromFamily) && SEPARATE.has(toFamily)
  return meet ? `${from} imports ${to}; IMAP, POP3 and JMAP never meet` : null
}
