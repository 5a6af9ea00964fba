import type { JourneyFacts, Link } from '../../journey/event.ts'
import { linkText } from './keys.ts'

/** Lists grow, single values are replaced. */
export function mergeFacts(old: JourneyFacts, added: JourneyFacts): JourneyFacts {
  const recipients = grow(old.recipients, added.recipients)
  const refused = grow(old.refused, added.refused)
  const queueIds = grow(old.queueIds, added.queueIds)
  const accountIds = grow(old.accountIds, added.accountIds)
  const links = growLinks(old.links, added.links)
  return {
    ...old,
    ...added,
    ...(recipients === undefined ? {} : { recipients }),
    ...(refused === undefined ? {} : { refused }),
    ...(queueIds === undefined ? {} : { queueIds }),
    ...(accountIds === undefined ? {} : { accountIds }),
    ...(links === undefined ? {} : { links }),
  }
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
