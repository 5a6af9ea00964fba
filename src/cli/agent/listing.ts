/**
 * The numbers of the last listing. `posthorn ls` numbers what it shows from 1; `read 3` then means that line, whatever
 * has arrived since, until the next `ls` of the same account.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { AgentError, type MessageKey } from './mail-agent.ts'

interface ListingFile {
  version: 1
  /** By address; keys in the order shown. */
  listings: Record<string, MessageKey[]>
}

function listingPath(): string {
  const base = process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state')
  return join(base, 'posthorn', 'listing.json')
}

function readListings(): ListingFile {
  try {
    return JSON.parse(readFileSync(listingPath(), 'utf8')) as ListingFile
  } catch {
    // It can be made anew at any time.
    return { version: 1, listings: {} }
  }
}

export function saveListing(address: string, keys: readonly MessageKey[]): void {
  const file = readListings()
  file.listings[address] = keys.map(({ mailbox, uidValidity, uid }) => ({ mailbox, uidValidity, uid }))
  mkdirSync(dirname(listingPath()), { recursive: true, mode: 0o700 })
  writeFileSync(listingPath(), JSON.stringify(file), { mode: 0o600 })
}

/** @throws {AgentError} `usage` for what is no number, `not-found` for one that was not shown. */
export function listedMessage(address: string, number: string): MessageKey {
  if (!/^[0-9]{1,9}$/.test(number))
    throw new AgentError('usage', `Cannot read "${number}": expected a number of the last listing`)
  const keys = readListings().listings[address]
  if (keys === undefined)
    throw new AgentError('not-found', 'Nothing has been listed yet: say "posthorn ls" first')
  const key = keys[Number(number) - 1]
  if (key === undefined)
    throw new AgentError(
      'not-found',
      `The last listing has ${keys.length} messages: there is no number ${number}`,
    )
  return key
}
