/** The store's own terms for what went wrong; each door translates them once. */
export class StoreError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** Another session deleted the mailbox. */
export class MailboxGone extends StoreError {}
export class MailboxExists extends StoreError {}
/** No account of that address. */
export class AccountUnknown extends StoreError {}
/** An account, alias or domain of that name exists. */
export class NameTaken extends StoreError {}
/** The domain is not one of ours. */
export class DomainUnknown extends StoreError {}
/** The domain still has accounts or aliases. */
export class DomainInUse extends StoreError {}
export class OverQuota extends StoreError {}
/** A bound of `limits` was reached; its name is in the text. */
export class LimitReached extends StoreError {}
/** A body cannot be read: damaged, missing, or the disk fails. Only this message suffers. */
export class BodyUnreadable extends StoreError {}
/** The disk is full or fails; nothing was changed; try again later. */
export class StoreUnavailable extends StoreError {}
/** The store cannot be opened as it lies there. Nothing was changed. */
export class StoreUnopenable extends StoreError {
  readonly remedy: string

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.remedy = remedy
  }
}
/** Another process holds the data folder. */
export class StoreInUse extends StoreError {}
/** A folder that holds no backup, or one that cannot be used; or a place where none can be made. */
export class BackupUnusable extends StoreError {}
