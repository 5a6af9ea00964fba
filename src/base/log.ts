export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFacts = Readonly<Record<string, unknown>>

/** What the person who runs the server reads. Never a password, a message's text or an AUTH payload. */
export interface Log {
  debug(message: string, facts?: LogFacts): void
  info(message: string, facts?: LogFacts): void
  warn(message: string, facts?: LogFacts): void
  error(message: string, facts?: LogFacts): void
  /** A log that adds these facts to every line. */
  with(facts: LogFacts): Log
}

const rank: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** Writes one JSON object a line. @param level A function where it may change. */
export function createLog(
  write: (line: string) => void,
  level: LogLevel | (() => LogLevel),
  now: () => number,
): Log {
  const lowest = typeof level === 'function' ? level : () => level
  function make(bound: LogFacts): Log {
    function emit(at: LogLevel, message: string, facts?: LogFacts): void {
      if (rank[at] < rank[lowest()]) return
      const record = { at: new Date(now()).toISOString(), level: at, message, ...bound, ...facts }
      write(
        JSON.stringify(record, (_key, value) => (value instanceof Error ? errorFacts(value) : value)) + '\n',
      )
    }
    return {
      debug: (message, facts) => emit('debug', message, facts),
      info: (message, facts) => emit('info', message, facts),
      warn: (message, facts) => emit('warn', message, facts),
      error: (message, facts) => emit('error', message, facts),
      with: (facts) => make({ ...bound, ...facts }),
    }
  }
  return make({})
}

function errorFacts(error: Error): Record<string, unknown> {
  const facts: Record<string, unknown> = { name: error.name, text: error.message, stack: error.stack }
  if ('code' in error) facts['code'] = error.code
  if (error.cause !== undefined) facts['cause'] = error.cause
  return facts
}

/** Says nothing: tests. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
}
