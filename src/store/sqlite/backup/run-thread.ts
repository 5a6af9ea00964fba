/** Runs a module of the store as a thread that tells how far it is and ends with a result. */
import { parentPort } from 'node:worker_threads'
import { errorOf } from '../error-of.ts'
import type { WriterError } from '../protocol.ts'
import { startThread } from '../start-thread.ts'

type Message =
  | { readonly kind: 'progress'; readonly progress: unknown }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: WriterError }

/**
 * @param name Of the module, without extension.
 * @param from `import.meta.url` of a module beside it.
 * @param signal Ends the thread wherever it is. With one, the thread does not keep the process alive.
 */
export function runThread<Progress, Result>(
  name: string,
  from: string,
  data: unknown,
  progress: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = startThread(name, from, data)
    const stop = () => {
      reject(new Error('It was stopped'))
      void worker.terminate()
    }
    signal?.addEventListener('abort', stop, { once: true })
    // Somebody else waits for it, and a server that stops does not: what is half done is done anew.
    if (signal !== undefined) worker.unref()
    worker.on('message', (message: Message) => {
      if (message.kind === 'progress') progress(message.progress as Progress)
      else if (message.kind === 'done') resolve(message.result as Result)
      else reject(errorOf(message.error))
    })
    worker.on('error', (error) => reject(error as Error))
    worker.on('exit', () => {
      signal?.removeEventListener('abort', stop)
      reject(new Error('The thread ended before its work'))
    })
    if (signal?.aborted === true) stop()
  })
}

/** Milliseconds between two reports of progress. */
const tellEveryMs = 100

/** In the thread: does the work and tells how it ended. */
export function inThread<Progress, Result>(work: (progress: (progress: Progress) => void) => Result): void {
  const port = parentPort!
  let toldAt = 0
  try {
    const result = work((progress) => {
      const now = performance.now()
      if (now - toldAt < tellEveryMs) return
      toldAt = now
      port.postMessage({ kind: 'progress', progress } satisfies Message)
    })
    port.postMessage({ kind: 'done', result } satisfies Message)
  } catch (error) {
    const { name, message } = error as Error
    port.postMessage({ kind: 'failed', error: { name, message } } satisfies Message)
  }
  port.close()
}
