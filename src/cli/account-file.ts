/**
 * `account add --from FILE`: reads the file in pieces and sends each as one request. All lines of a piece are added, or
 * none; when a line is refused, those of earlier pieces are there already, and `--skip-existing` goes on after them.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { LineRefused } from './admin-door.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { doorFor, type Reached } from './reach.ts'
import { note } from './terminal.ts'

/** Lines of one request: a thousand passwords take some ten seconds to hash. */
const linesAtOnce = 1_000

export interface FileResult {
  added: number
  skipped: number
}

/** @throws {CliError} Its message names file and line. */
export async function addAccountsFrom(
  reached: Reached,
  file: string,
  flags: { readonly skipExisting?: boolean },
): Promise<FileResult> {
  const result: FileResult = { added: 0, skipped: 0 }
  const path = flags.skipExisting === true ? '/v1/accounts/bulk?skipExisting=1' : '/v1/accounts/bulk'
  for await (const piece of readPieces(file)) {
    try {
      const part = await doorFor(reached, piece.firstAddress).call<FileResult>(
        'POST',
        path,
        piece.lines.join('\n'),
      )
      result.added += part.added
      result.skipped += part.skipped
    } catch (error) {
      throw error instanceof LineRefused ? atLine(error, file, piece.before + error.line, result) : error
    }
    if (process.stderr.isTTY) note(`\r${result.added + result.skipped} accounts`)
  }
  if (process.stderr.isTTY) note('\r\x1b[K')
  if (result.added + result.skipped > 0) return result
  throw new CliError(
    exitCodes.usage,
    `${file} holds no account`,
    'Write a line for each: ADDRESS<TAB>PASSWORD.',
  )
}

interface Piece {
  readonly lines: string[]
  /** Lines of the file before these. */
  readonly before: number
  readonly firstAddress: string
}

async function* readPieces(file: string): AsyncGenerator<Piece> {
  const input: Readable = file === '-' ? process.stdin : createReadStream(file)
  const failed = new Promise<never>((_, reject) => input.once('error', reject))
  failed.catch(() => {})
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]()
  let piece: string[] = []
  let before = 0
  let firstAddress = ''
  for (;;) {
    const next = await Promise.race([lines.next(), failed]).catch((error: Error) => {
      throw new CliError(
        exitCodes.notFound,
        `Cannot read ${file}: ${error.message}`,
        'Name a file that can be read.',
      )
    })
    if (next.done !== true) {
      piece.push(next.value)
      if (firstAddress === '' && !next.value.startsWith('#')) firstAddress = next.value.split('\t')[0]!.trim()
      if (piece.length < linesAtOnce) continue
    }
    if (firstAddress !== '') yield { lines: piece, before, firstAddress }
    if (next.done === true) return
    before += piece.length
    piece = []
    firstAddress = ''
  }
}

function atLine(refused: LineRefused, file: string, line: number, result: FileResult): CliError {
  const earlier =
    result.added === 0
      ? 'Nothing was added.'
      : `${result.added} accounts of earlier lines were added; --skip-existing passes over them.`
  return new CliError(
    refused.exitCode,
    `${file}:${line}: ${refused.message}`,
    `${refused.remedy} ${earlier}`,
    {
      code: refused.code,
      cause: refused,
    },
  )
}
