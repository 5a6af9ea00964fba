import {
  addAccounts,
  addAlias,
  addDomain,
  removeAccount,
  removeAlias,
  removeDomain,
  setPassword,
} from './change-accounts.ts'
import { createMailbox, deleteMailbox, renameMailbox, setSubscribed } from './change-mailboxes.ts'
import { copy, move } from './copy.ts'
import { addBackupDomain, removeBackupDomain } from './backup-domains.ts'
import { addDomainKey, removeDomainKey, retireDomainKey } from './domain-keys.ts'
import { dropSegments } from './drop-segments.ts'
import { expunge } from './expunge.ts'
import { noteSeenThere, noteNumber } from './housekeeping/notes.ts'
import { removeOrphanRows } from './housekeeping/remove-orphan-rows.ts'
import { restoreAccount } from './housekeeping/removed-accounts.ts'
import { switchPlaces } from './housekeeping/switch-places.ts'
import { trimHistory } from './housekeeping/trim-history.ts'
import { undelete } from './housekeeping/undelete.ts'
import { keepFiles } from './keep-files.ts'
import { dropEntry, lease, renewLease, retryNow } from './lease.ts'
import { setQuota } from './quota.ts'
import { settle } from './settle.ts'
import { storeFlags } from './store-flags.ts'
import { sweep } from './sweep.ts'
import type { Transaction } from './transaction.ts'

/** When it is answered, everything that was asked before it is done. It is not recorded. */
function nothing(_tx: Transaction, _call: null): null {
  return null
}

/** Writes a page of the tables, as any change does: a row that stays as it was would not be written. */
function touch(tx: Transaction, _call: null): null {
  tx.run("INSERT INTO counter VALUES ('touched', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1")
  return null
}

/** All that the writer does besides `accept`: each within a transaction, from plain values to a plain value. */
export const operations = {
  addDomain,
  removeDomain,
  addAccounts,
  removeAccount,
  setPassword,
  addAlias,
  removeAlias,
  createMailbox,
  renameMailbox,
  deleteMailbox,
  setSubscribed,
  storeFlags,
  copy,
  move,
  expunge,
  lease,
  renewLease,
  settle,
  retryNow,
  dropEntry,
  sweep,
  dropSegments,
  keepFiles,
  nothing,
  touch,
  setQuota,
  restoreAccount,
  undelete,
  trimHistory,
  noteSeenThere,
  noteNumber,
  switchPlaces,
  removeOrphanRows,
  addBackupDomain,
  removeBackupDomain,
  addDomainKey,
  retireDomainKey,
  removeDomainKey,
}

export type OperationName = keyof typeof operations
export type CallOf<Name extends OperationName> = Parameters<(typeof operations)[Name]>[1]
export type ResultOf<Name extends OperationName> = ReturnType<(typeof operations)[Name]>
