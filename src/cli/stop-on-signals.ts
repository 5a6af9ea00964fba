export interface Stopping {
  /** Waits for a signal, or for `stop`; keeps the process alive meanwhile. */
  wait(): Promise<void>
  readonly stop: () => void
}

/** The first SIGTERM or SIGINT asks for a graceful end; a second one ends the process at once. */
export function stopOnSignals(): Stopping {
  const { promise, resolve } = Promise.withResolvers<void>()
  let asked = false
  for (const [signal, exitCode] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    process.on(signal, () => {
      if (asked) process.exit(exitCode)
      asked = true
      resolve()
    })
  }
  return {
    async wait() {
      const alive = setInterval(() => {}, 3_600_000)
      await promise
      clearInterval(alive)
    },
    stop: resolve,
  }
}
