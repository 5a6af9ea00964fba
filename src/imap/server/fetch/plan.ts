import type { FetchItem } from '../../wire/fetch.ts'

export type SectionItem = Extract<FetchItem, { kind: 'section' }>

/** What one FETCH will do, settled before the first message. */
export interface FetchPlan {
  /** In the order they are told. */
  readonly items: readonly FetchItem[]
  /** Something beyond the columns of the index is asked for. */
  readonly needsEmails: boolean
  readonly sections: readonly SectionItem[]
  /** \Seen is to be set, RFC 3501 §6.4.5. */
  readonly marksSeen: boolean
  /** The text of messages is read, which is what a journey tells. */
  readonly readsText: boolean
}

/** @param uid UID FETCH: the UID is told even when it was not asked for, RFC 3501 §6.4.8. */
export function planFetch(items: readonly FetchItem[], uid: boolean, readOnly: boolean): FetchPlan {
  const all: FetchItem[] =
    uid && !items.some((item) => item.kind === 'uid') ? [{ kind: 'uid' }, ...items] : [...items]
  const sections = all.filter((item) => item.kind === 'section')
  const rest = all.filter((item) => item.kind !== 'section')
  const fromEmail = new Set<string>(['envelope', 'body', 'bodystructure'])
  return {
    // Literals last: what is short has been read before a long text comes.
    items: [...rest, ...sections],
    needsEmails: all.some((item) => item.kind === 'section' || fromEmail.has(item.kind)),
    sections,
    marksSeen: !readOnly && sections.some((item) => !item.peek),
    readsText: sections.some(({ section }) => section.text === 'whole' || section.text === 'text'),
  }
}
