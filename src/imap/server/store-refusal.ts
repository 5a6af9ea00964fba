import {
  BodyUnreadable,
  LimitReached,
  MailboxExists,
  MailboxGone,
  OverQuota,
  StoreUnavailable,
} from '../../store/errors.ts'
import { refuse, type Refusal } from '../wire/refusal.ts'

/** What may happen to anybody, without a fault of ours or of the disk. */
export function isOrdinary(error: unknown): boolean {
  const ordinary = [MailboxGone, MailboxExists, OverQuota, LimitReached]
  return ordinary.some((kind) => error instanceof kind)
}

/** The store's terms in IMAP's, RFC 5530 §3. What is not known is temporary: nothing is lost by another try. */
export function translateStoreError(error: unknown): Refusal {
  const options = { cause: error }
  if (error instanceof MailboxGone) return refuse('NONEXISTENT', 'No such mailbox', options)
  if (error instanceof MailboxExists) return refuse('ALREADYEXISTS', 'A mailbox of that name exists', options)
  if (error instanceof OverQuota) return refuse('OVERQUOTA', 'The account is full', options)
  if (error instanceof LimitReached) return refuse('LIMIT', 'A limit of the server has been reached', options)
  if (error instanceof BodyUnreadable) return refuse('SERVERBUG', 'A message cannot be read', options)
  if (error instanceof StoreUnavailable)
    return refuse('UNAVAILABLE', 'Not possible at the moment, try again later', options)
  return refuse('UNAVAILABLE', 'Local error, try again later', options)
}
