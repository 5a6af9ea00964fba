/**
 * A store is filled, backed up twice and restored, each step marked when it is done. Arguments: the folder that stands
 * for the disk, file of the marks.
 */
import { openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { backUp } from '../../src/store/backup.ts'
import { restoreAll } from '../../src/store/sqlite/backup/restore-all.ts'
import { fillStore, openAt } from '../store/kept-store.ts'
import { letter, put } from '../store/letters.ts'

const [disk, marksFile] = [process.argv[2]!, process.argv[3]!]
const marks = openSync(marksFile, 'a')
const mark = (step: string): void => void writeSync(marks, `${JSON.stringify(step)}\n`)
const folder = join(disk, 'backups')
const data = join(disk, 'data')
const store = await openAt(data)
const { bob } = await fillStore(store)
writeFileSync(join(data, 'self-made.pem'), 'key and certificate')
for (let round = 0; round < 2; round++) {
  for (let n = 0; n < 10; n++) await put(store, bob, {}, letter(`round ${round}, ${n}`))
  const request = { folder, keep: 1, journeys: false, link: false }
  mark('begin')
  await backUp(store, data, systemClock, request, () => {})
  mark('backup')
}
await store.close()
const request = { folder, at: null, keepUidValidity: false, withoutQueue: false, nowMs: Date.now() }
restoreAll({ ...request, into: join(disk, 'restored') }, () => {})
mark('restored')
