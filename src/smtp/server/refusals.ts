/** What the journey learns of a refusal, at whichever step it was, and what becomes of a conversation that was refused. */
import type { JourneyFacts } from '../../journey/event.ts'
import type { Reply } from '../wire/reply.ts'
import { visibleTo } from './journey.ts'
import type { Session } from './session.ts'

export type RefusalStage = 'connect' | 'hello' | 'mail' | 'rcpt' | 'data' | 'end' | 'login'

export interface SessionRefusal {
  readonly stage: RefusalStage
  readonly text: string
  /** What MAIL had said; null: it had not. */
  readonly reversePath: string | null
  /** Of RCPT. */
  readonly forwardPath: string | null
}

/** Of one conversation; further ones stand in the dialogue. */
const rememberedMax = 100

const stages: Readonly<Record<string, RefusalStage>> = {
  HELO: 'hello',
  EHLO: 'hello',
  LHLO: 'hello',
  MAIL: 'mail',
  RCPT: 'rcpt',
  DATA: 'data',
  BDAT: 'data',
  AUTH: 'login',
}

/** @param line The command as it came; what AUTH carries is not looked at. */
export function noteRefusedCommand(session: Session, verb: string, args: string, reply: Reply): void {
  const stage = stages[verb]
  if (stage === undefined) return
  const path = stage === 'mail' || stage === 'rcpt' ? writtenPath(args) : null
  noteRefusal(session, stage, reply, path)
}

/** @param path As the client wrote it; null where there is none. */
export function noteRefusal(
  session: Session,
  stage: RefusalStage,
  reply: Reply,
  path: string | null = null,
): void {
  const { recorder, refusals, peer } = session
  if (!recorder.enabled || refusals.length >= rememberedMax) return
  const reversePath = stage === 'mail' ? path : (session.transaction?.reversePath ?? null)
  const forwardPath = stage === 'rcpt' ? path : null
  const text = [reply.code, reply.status, ...reply.lines].filter((part) => part !== null).join(' ')
  refusals.push({ stage, text, reversePath, forwardPath })
  const data = {
    ...{ stage, text, remoteAddress: peer.remoteAddress },
    ...(reversePath === null ? {} : { reversePath }),
  }
  const branch = forwardPath === null ? {} : { branch: forwardPath }
  recorder.event('judged', 'refuse', data, { visibleTo: visibleTo(session), ...branch })
}

/** By what a refusal is found; nothing when there was none. */
export function refusalFacts({ refusals, peer }: Session): JourneyFacts {
  if (refusals.length === 0) return {}
  const refused = refusals.map(({ forwardPath }) => forwardPath).filter((path) => path !== null)
  return { remoteAddress: peer.remoteAddress, refused: [...new Set(refused)] }
}

function writtenPath(args: string): string | null {
  const [, path] = /^(?:FROM|TO): *<([^>]{0,320})>/i.exec(args) ?? []
  return path ?? null
}
