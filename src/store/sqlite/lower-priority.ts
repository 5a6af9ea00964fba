import { setPriority } from 'node:os'

/**
 * Of the calling thread: Linux has one for each, elsewhere it is the whole process's and stays as it is.
 *
 * @returns Whether it is lower now.
 */
export function lowerPriority(): boolean {
  if (process.platform !== 'linux') return false
  try {
    setPriority(0, 10)
    return true
  } catch {
    // Then it competes with the others.
    return false
  }
}
