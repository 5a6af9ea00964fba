/** Loaded into every thread of the process under test: checkpoints every 100 pages, and in the control less care. */
import { DatabaseSync } from 'node:sqlite'

const exec = DatabaseSync.prototype.exec
DatabaseSync.prototype.exec = function (this: DatabaseSync, text: string): void {
  const often = text.replace('wal_autocheckpoint = 0', 'wal_autocheckpoint = 100')
  const careless = process.env['POWERCUT_SYNCHRONOUS']
  exec.call(
    this,
    careless === undefined ? often : often.replace('synchronous = FULL', `synchronous = ${careless}`),
  )
}
