import type { Reply } from '../wire/reply.ts'
import { ConversationLost } from './connection.ts'
import { SmtpFailure, type SmtpFailureReason } from './failure.ts'
import { MessageUnreadable, type Outcome, type OutcomeStage } from './message.ts'

/** Of a text that is ours to carry on into reports and logs. */
const textCharsMax = 1_000

export function isPositive(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300
}

/** `550 5.1.1 No such user`, the lines of a longer one joined by a space. */
export function replyText(reply: Reply): string {
  const status = reply.status === null ? '' : `${reply.status} `
  return `${reply.code} ${status}${reply.lines.join(' ')}`.trim().slice(0, textCharsMax)
}

/** What a reply means for a recipient: 2yz delivered, 5yz permanent, all else temporary, RFC 5321 §4.2.1. */
export function outcomeOf(received: Reply, stage: OutcomeStage): Outcome {
  const reply = { code: received.code, status: received.status, lines: received.lines }
  const kind = isPositive(reply) ? 'delivered' : reply.code >= 500 ? 'permanent' : 'temporary'
  const status = reply.status ?? (kind === 'delivered' ? '2.0.0' : kind === 'permanent' ? '5.0.0' : '4.0.0')
  return { kind, stage, reply, status, text: replyText(reply) }
}

/** A reply of the wrong class, where no other is allowed (`250` to DATA): nobody knows what it means. */
export function oddReply(reply: Reply, stage: OutcomeStage): Outcome {
  if (reply.code >= 400) return outcomeOf(reply, stage)
  return { kind: 'temporary', stage, reply, status: '4.5.0', text: `Unexpected reply: ${replyText(reply)}` }
}

export function ownOutcome(
  kind: 'temporary' | 'permanent',
  stage: OutcomeStage,
  status: string,
  text: string,
): Outcome {
  return { kind, stage, reply: null, status, text }
}

/** The connection ended before the server had said it: temporary, whatever it was. */
export function lostOutcome(error: unknown, stage: OutcomeStage): Outcome {
  if (error instanceof ConversationLost && error.farewell !== null) return outcomeOf(error.farewell, stage)
  const { status, text } = lostWords(error)
  const may = stage === 'end-of-data' ? '; the message may have been accepted' : ''
  return ownOutcome('temporary', stage, status, `${text}${may}`)
}

/** The same where no conversation came about. */
export function lostFailure(error: unknown, stage: OutcomeStage): SmtpFailure {
  if (error instanceof SmtpFailure) return error
  const reply = error instanceof ConversationLost ? error.farewell : null
  if (reply !== null) return refusedFailure(reply, stage)
  const reason: SmtpFailureReason = error instanceof ConversationLost ? error.reason : 'closed'
  const { status, text } = lostWords(error)
  return new SmtpFailure(text, { stage, kind: 'temporary', reason, reply, status }, { cause: error })
}

export function refusedFailure(reply: Reply, stage: OutcomeStage): SmtpFailure {
  const { kind, status, text } = oddReply(reply, stage)
  return new SmtpFailure(text, {
    stage,
    kind: kind === 'permanent' ? 'permanent' : 'temporary',
    reason: reply.code >= 400 ? 'refused' : 'protocol',
    reply,
    status,
  })
}

function lostWords(error: unknown): { status: string; text: string } {
  if (error instanceof MessageUnreadable) return { status: '4.3.0', text: error.message }
  if (!(error instanceof ConversationLost)) return { status: '4.3.0', text: 'The conversation failed' }
  // RFC 3463 §3.5 and §3.6: 4.4.2 bad connection, 4.5.0 other protocol status.
  return { status: error.reason === 'protocol' ? '4.5.0' : '4.4.2', text: error.message }
}
