/** The thread of received reports: unpacks, reads and keeps them. What strangers sent is read here and nowhere else. */
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { lowerPriority } from '../../store/sqlite/lower-priority.ts'
import { BadReport } from '../bad-report.ts'
import { BadXml } from '../xml/reader.ts'
import { ReportArchive } from './archive.ts'
import { findReport } from './find-report.ts'
import type { ReportsReply, ReportsRequest, ReportsThreadData } from './protocol.ts'

const port = parentPort!
const { folder, limits } = workerData as ReportsThreadData
const file = join(folder, 'reports.db')
let archive: ReportArchive | null = null
// Nobody waits for a report, and strangers say how long one takes to read.
lowerPriority()

port.on('message', ({ id, request }: { readonly id: number; readonly request: ReportsRequest }) => {
  let reply: ReportsReply
  try {
    reply = { id, ...perform(request) }
  } catch (error) {
    reply = { id, error: error instanceof Error ? error.message : String(error) }
  }
  port.postMessage(reply)
  if (request.kind === 'close') port.close()
})

function perform(request: ReportsRequest): Omit<ReportsReply, 'id'> {
  if (request.kind === 'take') return take(request)
  if (request.kind === 'list') return { summaries: opened().list(request.query) }
  if (request.kind === 'find') return { report: opened().find(request.reportNumber) }
  archive?.close()
  archive = null
  return {}
}

function take(request: Extract<ReportsRequest, { kind: 'take' }>) {
  const { message, receivedAt, verified, unsigned } = request
  try {
    const found = findReport(message, limits)
    if (found === null) return { passedOver: 'There is no report in it' }
    // RFC 8460 §3.
    if (found.kind === 'tls' && unsigned === true)
      return { passedOver: 'It is about TLS, and not signed by the domain of its sender' }
    const number = opened().keep(found, { receivedAt, verified })
    return number === null ? { passedOver: 'It is there already' } : { taken: number }
  } catch (error) {
    if (error instanceof BadReport || error instanceof BadXml) return { passedOver: error.message }
    throw error
  }
}

/** A damaged file is set aside, once: what was in it stands in the letters. */
function opened(): ReportArchive {
  if (archive !== null) return archive
  try {
    archive = new ReportArchive(file, limits)
  } catch (error) {
    if (!(error instanceof Error) || !/not a database|malformed/i.test(error.message)) throw error
    rmSync(`${file}.damaged`, { force: true })
    renameSync(file, `${file}.damaged`)
    for (const end of ['-wal', '-shm']) rmSync(file + end, { force: true })
    archive = new ReportArchive(file, limits)
  }
  return archive
}
