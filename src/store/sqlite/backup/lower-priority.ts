import { setPriority } from 'node:os'

/** Of the calling thread: Linux has one for each, elsewhere it is the whole process's and stays as it is. */
export function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, 10)
  } catch {
    // Then it competes with the others.
  }
}
