import type { Style } from '../terminal.ts'
import type { Way } from './merge.ts'
import { printableLine } from '../agent/terminal.ts'
import { stageNames } from './format.ts'

export interface LiveOptions {
  /** Asks anew; null: nothing is known of the message yet. */
  look(): Promise<Way | null>
  show(line: string): void
  readonly style: Style
  wait(ms: number): Promise<void>
  /** When to give up. */
  readonly timeoutMs: number
}

const lookEveryMs = 250

/**
 * Shows what happens to a message as it happens, a line for each fact, until it has arrived everywhere, was refused or
 * waits for a later attempt.
 *
 * @returns The last that was known.
 */
export async function followWay({ look, show, style, wait, timeoutMs }: LiveOptions): Promise<Way | null> {
  const shown = new Set<string>()
  let way: Way | null = null
  for (let waited = 0; ; waited += lookEveryMs) {
    way = (await look()) ?? way
    for (const stage of way?.stages ?? []) {
      for (const fact of stage.facts) {
        const key = `${stage.stage} ${fact.server} ${fact.at} ${fact.text}`
        if (shown.has(key)) continue
        shown.add(key)
        show(`${style.brass(stageNames[stage.stage].toLowerCase().padEnd(11))} ${printableLine(fact.text)}`)
      }
    }
    if (way !== null && hasEnded(way)) return way
    if (waited >= timeoutMs) return way
    await wait(lookEveryMs)
  }
}

/** No more will happen by itself. */
export function hasEnded(way: Way): boolean {
  const factsOf = (name: string) => way.stages.find(({ stage }) => stage === name)?.facts ?? []
  if (way.state === 'refused' || way.state === 'retrying' || way.state === 'collected') return true
  if (way.state !== 'delivered') return false
  // Delivered to a server that is not ours: nobody here will ever see it filed.
  return factsOf('filed').length > 0 || way.journeys.length === 1
}
