/** The thread of the search. Posts are received between two pieces of work. */
import { parentPort, workerData } from 'node:worker_threads'
import type { SearchPost, SearchReply, SearchThreadData } from './protocol.ts'
import { lowerPriority } from '../sqlite/lower-priority.ts'
import { Searcher } from './searcher.ts'

const port = parentPort!

function tell(reply: SearchReply): void {
  port.postMessage(reply, reply.kind === 'found' ? [reply.places.buffer as ArrayBuffer] : [])
}

// What takes mail in and answers goes first, docs/decisions/201.
const rests = !lowerPriority()
const searcher = new Searcher(workerData as SearchThreadData, tell, rests)
let working = false
let closed = false
let retry: NodeJS.Timeout | null = null

function work(): void {
  if (working || closed) return
  working = true
  if (retry !== null) clearTimeout(retry)
  setImmediate(() => {
    working = false
    if (closed) return
    if (searcher.step()) work()
    else if (searcher.restMs !== null) retry = setTimeout(work, searcher.restMs)
  })
}

port.on('message', (post: SearchPost) => {
  if (post.kind === 'close') {
    closed = true
    if (retry !== null) clearTimeout(retry)
    searcher.close()
    port.close()
    return
  }
  searcher.receive(post)
  work()
})
work()
