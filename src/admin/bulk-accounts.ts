/**
 * Many accounts from lines of text. All lines of one request are added in one transaction, or none is; whoever has more
 * lines than fit sends several requests, so that hashing a hundred thousand passwords never hangs on one answer.
 */
import type { AdminOptions } from './admin-options.ts'
import { foreignDomain } from './accounts.ts'
import { AdminError } from './admin-error.ts'
import { readAddress } from './input.ts'
import { secretToHash } from './secret.ts'

/** Lines of one request. */
export const bulkLinesMax = 10_000
/** Hashes that are made at once; each takes a thread and 19 MiB, and people who log in want some too. */
const hashesAtOnce = 2

interface AccountLine {
  readonly address: string
  readonly secret: string
  readonly line: number
}

export interface BulkResult {
  readonly added: number
  /** Lines passed over because the account is there already. */
  readonly skipped: number
}

/**
 * account-line = address HTAB ( password / phc-hash ) [ CR ] LF; empty lines and lines that begin with "#" do not count
 *
 * @throws {AdminError} Its `line` counts from 1 within the text.
 */
export async function addAccountLines(
  options: AdminOptions,
  text: string,
  skipExisting: boolean,
): Promise<BulkResult> {
  const all = parseAccountLines(text)
  const domains = new Set(await options.store.listDomains())
  const fresh: AccountLine[] = []
  for (const line of all) {
    if (!domains.has(line.address.slice(line.address.lastIndexOf('@') + 1)))
      throw foreignDomain(line.address, line.line)
    if ((await options.store.findAccount(line.address)) === null) fresh.push(line)
    else if (!skipExisting) {
      const remedy = 'Take the line out, or pass over such lines with --skip-existing.'
      throw new AdminError(
        409,
        'name-taken',
        `There is an account ${line.address} already`,
        remedy,
        line.line,
      )
    }
  }
  if (fresh.length > 0) await options.store.addAccounts(await hashAll(options, fresh))
  return { added: fresh.length, skipped: all.length - fresh.length }
}

export function parseAccountLines(text: string): AccountLine[] {
  const lines: AccountLine[] = []
  const seen = new Map<string, number>()
  for (const [index, whole] of text.split('\n').entries()) {
    const line = index + 1
    const content = whole.endsWith('\r') ? whole.slice(0, -1) : whole
    if (content.trim() === '' || content.startsWith('#')) continue
    const tab = content.indexOf('\t')
    if (tab < 1 || tab === content.length - 1) {
      throw new AdminError(
        400,
        'bad-line',
        'Not an address, a tab and a password',
        'Write ADDRESS<TAB>PASSWORD.',
        line,
      )
    }
    const address = readLineAddress(content.slice(0, tab).trim(), line)
    const earlier = seen.get(address)
    if (earlier !== undefined) {
      const remedy = 'Take one of the two lines out.'
      throw new AdminError(400, 'bad-line', `${address} is in line ${earlier} already`, remedy, line)
    }
    seen.set(address, line)
    lines.push({ address, secret: content.slice(tab + 1), line })
    if (lines.length > bulkLinesMax) {
      throw new AdminError(
        413,
        'too-many',
        `More than ${bulkLinesMax} lines`,
        'Send them in several requests.',
        line,
      )
    }
  }
  return lines
}

function readLineAddress(text: string, line: number): string {
  try {
    return readAddress(text)
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    throw new AdminError(error.status, error.code, error.message, error.remedy, line)
  }
}

async function hashAll(
  options: AdminOptions,
  lines: readonly AccountLine[],
): Promise<{ address: string; passwordHash: string }[]> {
  const accounts: { address: string; passwordHash: string }[] = new Array(lines.length)
  let next = 0
  async function hashSome(): Promise<void> {
    while (next < lines.length) {
      const index = next++
      const { address, secret, line } = lines[index]!
      accounts[index] = { address, passwordHash: await secretToHash(options, secret, line) }
    }
  }
  await Promise.all(Array.from({ length: hashesAtOnce }, hashSome))
  return accounts
}
