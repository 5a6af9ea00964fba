import type { JourneyFacts, Link } from '../../journey/event.ts'

/** Lists grow, single values are replaced. */
export function mergeFacts(old: JourneyFacts, added: JourneyFacts): JourneyFacts {
  const recipients = grow(old.recipients, added.recipients)
  const queueIds = grow(old.queueIds, added.queueIds)
  const accountIds = grow(old.accountIds, added.accountIds)
  const links = growLinks(old.links, added.links)
  return {
    ...old,
    ...added,
    ...(recipients === undefined ? {} : { recipients }),
    ...(queueIds === undefined ? {} : { queueIds }),
    ...(accountIds === undefined ? {} : { accountIds }),
    ...(links === undefined ? {} : { links }),
  }
}

/** By what a journey is found: kind and value. */
export function keysOf(facts: JourneyFacts): [kind: string, value: string][] {
  const keys: [string, string][] = []
  if (facts.messageId !== undefined) keys.push(['messageId', facts.messageId])
  if (facts.reversePath !== undefined) keys.push(['reversePath', facts.reversePath.toLowerCase()])
  for (const recipient of facts.recipients ?? []) keys.push(['recipient', recipient.toLowerCase()])
  for (const queueId of facts.queueIds ?? []) keys.push(['queueId', String(queueId)])
  for (const link of facts.links ?? []) keys.push(['link', linkText(link)])
  const accounts = new Set(facts.accountIds ?? [])
  if (facts.senderAccountId !== undefined) accounts.add(facts.senderAccountId)
  for (const accountId of accounts) keys.push(['account', String(accountId)])
  return keys
}

export function linkText({ client, server, transaction }: Link): string {
  return `${client} ${server} ${transaction}`
}

function grow<Item extends string | number>(
  old: readonly Item[] | undefined,
  added: readonly Item[] | undefined,
): readonly Item[] | undefined {
  if (old === undefined || added === undefined) return old ?? added
  return [...new Set([...old, ...added])]
}

function growLinks(
  old: readonly Link[] | undefined,
  added: readonly Link[] | undefined,
): readonly Link[] | undefined {
  if (old === undefined || added === undefined) return old ?? added
  return [...new Map([...old, ...added].map((link) => [linkText(link), link])).values()]
}
