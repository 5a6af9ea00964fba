import { setImmediate as nextTurn } from 'node:timers/promises'

/** Rows of a list of accounts, aliases or queue entries that are read before others get their turn. */
export const listPage = 200

/** Reads page after page and lets others run in between. */
export async function readPages<Item>(
  page: (last: Item | undefined, had: number) => Item[],
): Promise<Item[]> {
  const items: Item[] = []
  for (;;) {
    const more = page(items.at(-1), items.length)
    items.push(...more)
    if (more.length < listPage) return items
    await nextTurn()
  }
}
