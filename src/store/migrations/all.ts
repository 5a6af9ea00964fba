import { sql as tables } from './001-tables.ts'
import { sql as housekeeping } from './002-housekeeping.ts'
import { sql as wishesAndKeys } from './003-wishes-and-keys.ts'
import { sql as backupDomains } from './004-backup-domains.ts'

/** In the order in which they are applied. One that has been released is never edited; a change is a further one. */
export const migrations: readonly { readonly version: number; readonly sql: string }[] = [
  { version: 1, sql: tables },
  { version: 2, sql: housekeeping },
  { version: 3, sql: wishesAndKeys },
  { version: 4, sql: backupDomains },
]
