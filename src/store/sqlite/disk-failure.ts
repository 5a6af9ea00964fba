/** SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_BUSY, SQLITE_READONLY, SQLITE_CORRUPT, SQLITE_NOTADB. */
const sqliteCodes = new Set([10, 13, 14, 5, 8, 11, 26])
const systemCodes = new Set([
  'ENOSPC',
  'EIO',
  'EDQUOT',
  'EROFS',
  'EMFILE',
  'ENFILE',
  'EACCES',
  'EPERM',
  'EFBIG',
])

/** Whether it is the disk that failed and not the call: then nothing else can succeed now. */
export function isDiskFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('errcode' in error && typeof error.errcode === 'number') return sqliteCodes.has(error.errcode & 0xff)
  return 'code' in error && systemCodes.has(String(error.code))
}

/** SQLITE_CORRUPT, SQLITE_NOTADB. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && [11, 26].includes(Number(error.errcode) & 0xff)
}

/** No room, or a quota is used up. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  // SQLITE_FULL
  if ('errcode' in error && typeof error.errcode === 'number') return (error.errcode & 0xff) === 13
  return 'code' in error && ['ENOSPC', 'EDQUOT'].includes(String(error.code))
}

/** SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC: what was written before may be lost, whatever the next sync says. */
export function isSyncFailure(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && [1_034, 1_290].includes(Number(error.errcode))
}

/** SQLite ended the transaction by itself: there is no savepoint to return to. */
export function isTornTransaction(error: unknown): boolean {
  return error instanceof Error && /no such savepoint|no transaction is active/i.test(error.message)
}
