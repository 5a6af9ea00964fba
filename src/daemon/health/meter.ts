/** Puts counters around what the server is made of, without its parts knowing. */
import type { Authenticator } from '../../auth/authenticator.ts'
import type { Store } from '../../store/store.ts'
import type { Metrics } from './metrics.ts'

export function meterAuthenticator(inner: Authenticator, { loginsRefused }: Metrics): Authenticator {
  return {
    async verify(attempt, defaultDomain) {
      const result = await inner.verify(attempt, defaultDomain)
      if (result.kind === 'refused') loginsRefused.add(attempt.protocol)
      return result
    },
  }
}

/** Counts and times in the store itself, so that whoever holds it is counted. */
export function meterStore(store: Store, { messages, recipients, commits }: Metrics): void {
  const accept = store.accept.bind(store)
  const settle = store.settle.bind(store)
  store.accept = async (items) => {
    const startedAt = performance.now()
    const results = await accept(items)
    commits.add(performance.now() - startedAt)
    for (const result of results) messages.add(result instanceof Error ? 'failed' : 'accepted')
    return results
  }
  store.settle = async (settlements) => {
    await settle(settlements)
    for (const { recipients: settled } of settlements) for (const { state } of settled) recipients.add(state)
  }
}
