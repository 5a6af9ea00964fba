/** Takes an import back: what it has filed goes, wherever nobody moved it to; what was there before stays. */
import type { ImportJournal } from './import-journal.ts'
import { recover, type TransferDoor } from './run-import.ts'
import type { OpenedImport } from './wire.ts'

export interface Undone {
  /** Messages that were still where the import had put them. */
  readonly removed: number
  /** Messages it had filed. */
  readonly filed: number
  readonly mailboxes: readonly string[]
}

/** UIDs in one request. */
const uidsAtOnce = 1_000

export async function undoImport(
  door: TransferDoor,
  opened: OpenedImport,
  journal: ImportJournal,
): Promise<Undone> {
  const path = `/v1/imports/${opened.importId}`
  await recover(door, path, journal)
  const groups = new Map<string, { mailboxId: number; uidValidity: number; uids: number[] }>()
  for (const { mailboxId, uidValidity, uids } of journal.filed) {
    const key = `${mailboxId} ${uidValidity}`
    const group = groups.get(key) ?? { mailboxId, uidValidity, uids: [] }
    groups.set(key, group)
    group.uids.push(...uids)
  }
  let removed = 0
  for (const { mailboxId, uidValidity, uids } of groups.values()) {
    for (let at = 0; at < uids.length; at += uidsAtOnce) {
      const some = uids.slice(at, at + uidsAtOnce)
      const answer = await door.call<{ removed: number }>('POST', `${path}/remove`, {
        ...{ mailboxId, uidValidity, uids: some },
      })
      removed += answer.removed
    }
  }
  const mailboxes = await removeMailboxes(door, path, journal.created)
  const filed = journal.filedMessages
  await journal.forget()
  return { removed, filed, mailboxes }
}

async function removeMailboxes(
  door: TransferDoor,
  path: string,
  names: readonly string[],
): Promise<readonly string[]> {
  if (names.length === 0) return []
  return (await door.call<{ removed: string[] }>('POST', `${path}/remove-mailboxes`, { names })).removed
}
