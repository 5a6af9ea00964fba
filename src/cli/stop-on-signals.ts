export interface Stopping {
  /** Resolves when a signal has come, or `stop` was called. */
  readonly asked: Promise<void>
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
  // Signals alone do not keep a process alive, and a server may have all its doors closed.
  const alive = setInterval(() => {}, 3_600_000)
  void promise.then(() => clearInterval(alive))
  return { asked: promise, stop: resolve }
}
