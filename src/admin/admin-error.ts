import {
  AccountUnknown,
  DomainInUse,
  DomainUnknown,
  LimitReached,
  NameTaken,
  OverQuota,
  StoreError,
  StoreUnavailable,
} from '../store/errors.ts'

export type AdminStatus = 400 | 404 | 409 | 413 | 500 | 503

/** A request that was not carried out. Every answer of that kind is `{ error: { code, message, remedy } }`. */
export class AdminError extends Error {
  readonly status: AdminStatus
  /** Kebab-case; stable, for programs. */
  readonly code: string
  /** What the person can do about it, a sentence. */
  readonly remedy: string
  /** Line of a bulk request, from 1. */
  readonly line: number | null

  constructor(
    status: AdminStatus,
    code: string,
    message: string,
    remedy: string,
    line: number | null = null,
  ) {
    super(message)
    this.name = 'AdminError'
    this.status = status
    this.code = code
    this.remedy = remedy
    this.line = line
  }

  toJSON(): object {
    const { code, message, remedy, line } = this
    return { error: { code, message, remedy, ...(line === null ? {} : { line }) } }
  }
}

/** Says in our terms what the store's error means; anything unforeseen is our own fault and stays vague. */
export function translateError(error: unknown): AdminError {
  if (error instanceof AdminError) return error
  // The store names what it is about, and no more.
  if (error instanceof NameTaken) {
    return new AdminError(
      409,
      'name-taken',
      `There is ${error.message} already`,
      'Choose another name, or remove the old one first.',
    )
  }
  if (error instanceof DomainUnknown) {
    return new AdminError(
      404,
      'domain-unknown',
      `${error.message} is not a domain of this server`,
      'Add the domain first: posthorn domain add DOMAIN.',
    )
  }
  if (error instanceof DomainInUse) {
    const remedy =
      'Remove its accounts and aliases first: posthorn account list and posthorn alias list show them.'
    return new AdminError(409, 'domain-in-use', `${error.message} still has accounts or aliases`, remedy)
  }
  if (error instanceof AccountUnknown) {
    return new AdminError(
      404,
      'account-unknown',
      `There is no such account: ${error.message}`,
      'posthorn account list shows those there are.',
    )
  }
  if (error instanceof LimitReached) {
    return new AdminError(
      409,
      'limit-reached',
      error.message,
      'Raise that limit in [limits] and start again.',
    )
  }
  if (error instanceof OverQuota) {
    const remedy = 'Give it more room: posthorn account quota ADDRESS SIZE, or none.'
    return new AdminError(409, 'over-quota', 'The account is full', remedy)
  }
  if (error instanceof StoreUnavailable) {
    return new AdminError(
      503,
      'store-unavailable',
      error.message,
      'Look at the disk and the log, then try again.',
    )
  }
  if (error instanceof StoreError) {
    return new AdminError(409, 'refused', error.message, 'Look at the current state and try again.')
  }
  return new AdminError(500, 'failed', 'The server could not do it', 'The reason is in its log.')
}
