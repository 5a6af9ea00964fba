import type { PlannedRecipient } from '../../delivery/plan.ts'
import type { Filed } from '../../store/store.ts'
import type { MailCommand } from '../wire/mail.ts'
import { formatMailbox } from '../wire/path.ts'

/** One mail transaction: what MAIL and RCPT said, RFC 5321 §3.3. */
export class Transaction {
  readonly mail: MailCommand
  /** `local-part@domain`; '' for the null reverse-path. */
  readonly reversePath: string
  readonly recipients: PlannedRecipient[] = []
  /** Copies of it that were kept although it was refused. */
  refusedCopies: readonly Filed[] = []

  constructor(mail: MailCommand) {
    this.mail = mail
    this.reversePath = mail.reversePath === null ? '' : formatMailbox(mail.reversePath)
  }
}
