import type { FilterAnswer, SmtpFilter } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'
import type { GuardWorld } from './guard-world.ts'

/** Holds an account to what it may send. Temporary: its queue keeps the mail until its owner, or the operator, is asked. */
export function submissionGuard({ submission }: GuardWorld): SmtpFilter {
  return {
    name: 'submission limits',
    open(client) {
      if (client.role !== 'submission') return null
      const judge = (reached: string | null): FilterAnswer => {
        const { account } = client
        if (reached === null || account === null) return null
        submission.warn(account, reached)
        const text =
          reached === 'stopped'
            ? 'This account may not send at the moment: ask your postmaster'
            : 'This account has sent as much as it may for now, try again later or ask your postmaster'
        return refuse(450, '4.7.1', text)
      }
      return {
        mail: () => (client.account === null ? null : judge(submission.addMessage(client.account.accountId))),
        rcpt(path, _parameters, known) {
          const { account } = client
          return account === null || !known ? null : judge(submission.addRecipient(account.accountId, path))
        },
      }
    },
  }
}
