/** The thread that reads a backup for the restore of one account; it goes on only when it is asked for more. */
import { parentPort, workerData } from 'node:worker_threads'
import type { WriterError } from '../protocol.ts'
import { lowerPriority } from '../lower-priority.ts'
import { type MissingData, type MissingItem, MissingMessages, type MissingPlan } from './missing-messages.ts'

export type MissingReply =
  | { readonly kind: 'plan'; readonly plan: MissingPlan }
  | { readonly kind: 'item'; readonly item: MissingItem | null }
  | { readonly kind: 'failed'; readonly error: WriterError }

const port = parentPort!

function reply(make: () => MissingReply): void {
  try {
    port.postMessage(make())
  } catch (error) {
    const { name, message } = error as Error
    port.postMessage({ kind: 'failed', error: { name, message } } satisfies MissingReply)
  }
}

lowerPriority()
reply(() => {
  const messages = new MissingMessages(workerData as MissingData)
  const items = messages.items()
  port.on('message', () => reply(() => ({ kind: 'item', item: items.next().value ?? null })))
  return { kind: 'plan', plan: messages.plan }
})
