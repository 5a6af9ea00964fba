/** Backup, verification of the store, and restore of one account: each a job that is asked about until it has ended. */
import { isAbsolute } from 'node:path'
import { Hono } from 'hono'
import { backUp, restoreAccount, verifyStore } from '../store/backup.ts'
import { BackupUnusable, StoreInUse } from '../store/errors.ts'
import type { AdminOptions } from './admin-options.ts'
import { AdminError, translateError } from './admin-error.ts'
import { type Fields, readAddress, readFields, readNumber, readText } from './input.ts'
import { Jobs } from './jobs.ts'

const idRange = { min: 1, max: Number.MAX_SAFE_INTEGER }
const keepRange = { min: 1, max: 1_000 }

export function backupRoutes(options: AdminOptions): Hono {
  const { store, clock, log, dataFolder } = options
  const jobs = new Jobs(log, translateBackupError)
  return new Hono()
    .post('/', async (context) => {
      const fields = await readFields(context)
      const request = {
        folder: readFolder(fields),
        keep: fields['keep'] == null ? null : readNumber(String(fields['keep']), 'keep', keepRange),
        journeys: fields['journeys'] === true,
        link: fields['link'] === true,
      }
      const data = requireData(dataFolder)
      const started = jobs.start('backup', (progress, signal) =>
        backUp(store, data, clock, request, progress, signal),
      )
      return context.json(started, 202)
    })
    .post('/verify', async (context) => {
      const quick = (await readFields(context))['quick'] === true
      const data = requireData(dataFolder)
      const started = jobs.start('verify', (progress, signal) =>
        verifyStore(store, data, quick, progress, signal),
      )
      return context.json(started, 202)
    })
    .post('/restore', async (context) => {
      const fields = await readFields(context)
      const request = {
        ...{ folder: readFolder(fields), at: readOptional(fields, 'at') },
        address: readAddress(readText(fields, 'address')),
        as: fields['as'] == null ? null : readAddress(readText(fields, 'as')),
        under: readUnder(fields),
      }
      const data = requireData(dataFolder)
      const started = jobs.start('restore', (progress, signal) =>
        restoreAccount(store, data, request, progress, signal),
      )
      return context.json(started, 202)
    })
    .get('/jobs/:id', (context) =>
      context.json(jobs.get(readNumber(context.req.param('id'), 'job', idRange))),
    )
    .delete('/jobs/:id', (context) =>
      context.json(jobs.stop(readNumber(context.req.param('id'), 'job', idRange))),
    )
}

function requireData(folder: string | undefined): string {
  if (folder !== undefined) return folder
  throw new AdminError(409, 'no-data-folder', 'This server has no data folder', 'Nothing can be kept of it.')
}

function readFolder(fields: Fields): string {
  const folder = readText(fields, 'folder')
  if (isAbsolute(folder)) return folder
  throw new AdminError(
    400,
    'bad-field',
    `"${folder}" is no absolute path`,
    'Send the whole path of the folder.',
  )
}

function readOptional(fields: Fields, name: string): string | null {
  return fields[name] == null ? null : readText(fields, name)
}

/** The name of a mailbox, without the separator at its end. */
function readUnder(fields: Fields): string | null {
  const under = readOptional(fields, 'under')?.replace(/^\/+|\/+$/g, '') ?? null
  if (under === null || (under !== '' && !/[\u0000-\u001f\u007f]/.test(under))) return under
  throw new AdminError(400, 'bad-field', 'under is no name of a mailbox', 'Write a name such as Restored.')
}

/** Also of errors of the system, which come from a thread without their codes: their text begins with it. */
export function translateBackupError(error: unknown): AdminError {
  if (error instanceof BackupUnusable)
    return new AdminError(
      409,
      'backup-unusable',
      error.message,
      'docs/operating.md says how backups are kept.',
    )
  if (error instanceof StoreInUse)
    return new AdminError(503, 'folder-in-use', error.message, 'Wait until the other command has ended.')
  const text = error instanceof Error ? error.message : String(error)
  if (/^(?:ENOSPC|EDQUOT)\b|disk is full/.test(text))
    return new AdminError(
      409,
      'disk-full',
      `The disk is full: ${text}`,
      'Make room, or keep fewer backups with --keep.',
    )
  if (/^(?:EACCES|EPERM|EROFS)\b|unable to open database/.test(text)) {
    const remedy =
      "The server's user needs the right to write there; systemd's ProtectSystem asks for ReadWritePaths= too."
    return new AdminError(409, 'no-right', `The folder cannot be used: ${text}`, remedy)
  }
  if (/malformed|not a database/.test(text)) {
    const remedy = 'Run posthorn verify; then restore the last good backup into an empty folder.'
    return new AdminError(409, 'tables-damaged', `The tables are damaged: ${text}`, remedy)
  }
  if (text === 'It was stopped') return new AdminError(409, 'stopped', text, '')
  if (/^E[A-Z]+: /.test(text))
    return new AdminError(409, 'failed', text, 'Look at that disk, then try again.')
  return translateError(error)
}
