/**
 * Goes on with what is there already at once, and with what has yet to come when it has come: waiting for what is there
 * costs several turns of the microtask queue.
 */
export function andThen<T, Result>(
  value: T | Promise<T>,
  next: (value: T) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value)
}
