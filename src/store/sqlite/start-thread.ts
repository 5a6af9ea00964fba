import { Worker } from 'node:worker_threads'

/** Starts a module of this room as a worker thread: `.ts` in a checkout, `.js` in a package. `top -H` shows its name. */
export function startThread(name: string, from: string, workerData: unknown): Worker {
  const extension = from.slice(from.lastIndexOf('.'))
  return new Worker(new URL(`./${name}${extension}`, from), { workerData, name })
}
