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
import { dropSegments } from './drop-segments.ts'
import { expunge } from './expunge.ts'
import { dropEntry, lease, renewLease, retryNow } from './lease.ts'
import { settle } from './settle.ts'
import { storeFlags } from './store-flags.ts'
import { sweep } from './sweep.ts'

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
}

export type OperationName = keyof typeof operations
export type CallOf<Name extends OperationName> = Parameters<(typeof operations)[Name]>[1]
export type ResultOf<Name extends OperationName> = ReturnType<(typeof operations)[Name]>
