/**
 * A table whose values are those that hold when they are read: whoever keeps it need not know that the configuration may
 * be read anew.
 *
 * @param current The table in force; it has the same keys each time.
 */
export function liveTable<T extends object>(current: () => T): T {
  const live = {} as T
  for (const key of Object.keys(current()) as (keyof T)[]) {
    Object.defineProperty(live, key, { enumerable: true, get: () => current()[key] })
  }
  return live
}

/** `base` with the properties of `more`; unlike a spread, getters stay getters. */
export function withGetters<T extends object, U extends object>(base: T, more: U): T & U {
  const both = {}
  for (const one of [base, more]) Object.defineProperties(both, Object.getOwnPropertyDescriptors(one))
  return both as T & U
}
