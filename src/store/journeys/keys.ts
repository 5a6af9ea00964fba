/** By what a journey is found: a kind and a value, kept as a number. */
import type { JourneyFacts, JourneyQuery, Link } from '../../journey/event.ts'

export type Key = readonly [kind: string, value: string]

export function keysOf(facts: JourneyFacts): Key[] {
  const keys: Key[] = []
  if (facts.messageId !== undefined) keys.push(['messageId', facts.messageId])
  if (facts.reversePath !== undefined) keys.push(['reversePath', facts.reversePath.toLowerCase()])
  for (const recipient of facts.recipients ?? []) keys.push(['recipient', recipient.toLowerCase()])
  for (const queueId of facts.queueIds ?? []) keys.push(['queueId', String(queueId)])
  for (const link of facts.links ?? []) keys.push(['link', linkText(link)])
  const accounts = new Set(facts.accountIds ?? [])
  if (facts.senderAccountId !== undefined) accounts.add(facts.senderAccountId)
  for (const accountId of accounts) keys.push(['account', String(accountId)])
  if (facts.state === 'refused' || facts.refused !== undefined) {
    for (const recipient of facts.refused ?? []) keys.push(['recipient', recipient.toLowerCase()])
    if (facts.remoteAddress !== undefined) keys.push(['address', facts.remoteAddress])
    keys.push(['refused', ''])
  }
  return keys
}

/** Nothing was taken, and nobody with an account had a part in it: what bots leave behind. */
export function wasStrangerRefused({ state, senderAccountId }: JourneyFacts): boolean {
  return state === 'refused' && senderAccountId === undefined
}

/** Those, and what would be one if an entry to come told of a refusal. */
export function keysToBe(facts: JourneyFacts): Key[] {
  const keys = keysOf(facts)
  const { state, refused, remoteAddress } = facts
  if (remoteAddress !== undefined && state !== 'refused' && refused === undefined)
    keys.push(['address', remoteAddress])
  return keys
}

export function linkText({ client, server, transaction }: Link): string {
  return `${client} ${server} ${transaction}`
}

/** What a query asks for besides the journey's own name; all of it must hold. */
export function keysOfQuery(query: JourneyQuery): Key[] {
  const keys: Key[] = []
  if (query.link !== undefined) keys.push(['link', linkText(query.link)])
  if (query.queueId !== undefined) keys.push(['queueId', String(query.queueId)])
  if (query.messageId !== undefined) keys.push(['messageId', query.messageId])
  if (query.recipient !== undefined) keys.push(['recipient', query.recipient.toLowerCase()])
  if (query.reversePath !== undefined) keys.push(['reversePath', query.reversePath.toLowerCase()])
  if (query.accountId !== undefined) keys.push(['account', String(query.accountId)])
  if (query.remoteAddress !== undefined) keys.push(['address', query.remoteAddress])
  if (query.refused === true) keys.push(['refused', ''])
  return keys
}

/** 53 bits: two keys in 2^26 journeys may meet, and who looks one up compares the facts. */
export function hashOf([kind, value]: Key): number {
  const text = `${kind} ${value}`
  // FNV-1a twice, from two beginnings.
  let [high, low] = [0x811c9dc5, 0x050c5d1f]
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    high = Math.imul(high ^ unit, 0x01000193)
    low = Math.imul(low ^ (unit + i), 0x01000193)
  }
  return (high >>> 0) * 0x200000 + (low >>> 11)
}

/** Whether a journey with these facts is one that the query asks for. */
export function answers(facts: JourneyFacts, asked: readonly Key[]): boolean {
  const has = new Set(keysOf(facts).map((key) => key.join(' ')))
  return asked.every((key) => has.has(key.join(' ')))
}
