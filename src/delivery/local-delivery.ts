/** What the queue files at home: mail for a domain that is ours by now, and reports to senders of ours. */
import type { Limits } from '../base/limits.ts'
import type { AccountStore } from '../store/accounts.ts'
import type { HomeLetter, HomePlan, LocalDelivery } from '../queue/local-delivery.ts'
import type { RecipientOutcome } from '../queue/outcome.ts'
import type { PlannedRecipient, RecipientDecision } from './plan.ts'
import { type Forwarding, forwardedPath } from './forwarding.ts'
import { planNow } from './make-plan.ts'
import { resolveRecipient } from './resolve-recipient.ts'

/** The queue's letters decided about as at RCPT: same aliases, same quota, same refusals. */
export function createLocalDelivery(
  store: AccountStore,
  limits: Pick<Limits, 'aliasDepth' | 'recipients'>,
  forwarding: Forwarding | null = null,
): LocalDelivery {
  return {
    async plan(letter: HomeLetter, now: number): Promise<HomePlan | null> {
      const bounces = letter.reversePath === '' ? forwarding : null
      const outcomes = new Map<string, RecipientOutcome>()
      const planned: PlannedRecipient[] = []
      for (const { forwardPath, orcpt, notify } of letter.recipients) {
        const decision = await resolveRecipient(store, forwardPath, limits, bounces)
        // All recipients of a letter are of one domain.
        if (decision.kind === 'elsewhere') return null
        outcomes.set(forwardPath, outcomeOf(decision))
        if (decision.kind === 'home') planned.push({ forwardPath, decision, orcpt, notify })
      }
      // A prefix is octets, a plan is made of text.
      const text = Buffer.from(letter.prefix, 'latin1').toString('utf8')
      const plan = planNow({
        reversePath: letter.reversePath,
        forwardedPath: await forwardedPath(forwarding, store, letter.reversePath, planned),
        senderAccountId: letter.accountId,
        recipients: planned,
        // The trace field stands in the prefix already: it was written when the letter was accepted.
        received: () => text,
        fields: [],
        hasHeader: true,
        eightBit: letter.eightBit,
        smtpUtf8: letter.smtpUtf8,
        envid: letter.envid,
        ret: letter.ret,
        wishes: letter.wishes,
        junk: false,
        now,
        queueLifeMs: letter.expiresAt - now,
        journeyId: letter.journeyId,
      })
      return { ...plan, outcomes }
    },
  }
}

function outcomeOf(decision: Exclude<RecipientDecision, { kind: 'elsewhere' }>): RecipientOutcome {
  if (decision.kind === 'home') {
    return {
      ...{ kind: 'delivered', status: '2.0.0', text: 'Filed', host: null, stage: 'file' },
      ...successOf(decision),
    }
  }
  const { code, status, text } = decision
  return {
    kind: code >= 500 ? 'permanent' : 'temporary',
    status,
    text: `${code} ${status} ${text}`,
    host: null,
    stage: 'file',
  }
}

/** RFC 3461 §5.2.7.2: about an alias with one address elsewhere, the server there reports. §5.2.7.3 (c): with several. */
function successOf({
  accountIds,
  forwards,
}: {
  accountIds: readonly number[]
  forwards: readonly string[]
}): {
  readonly success?: 'delivered' | 'expanded'
} {
  if (accountIds.length + forwards.length > 1) return { success: 'expanded' }
  return accountIds.length === 1 ? { success: 'delivered' } : {}
}
