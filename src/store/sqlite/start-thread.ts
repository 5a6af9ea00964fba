import { Worker } from 'node:worker_threads'

/** Starts a module of this room as a worker thread, which `top -H` shows by its name: `.ts` in a checkout, `.js` in a package. */
export function startThread(name: string, from: string, workerData: unknown): Worker {
  const extension = from.slice(from.lastIndexOf('.'))
  return new Worker(new URL(`./${name}${extension}`, from), { workerData, name })
}
