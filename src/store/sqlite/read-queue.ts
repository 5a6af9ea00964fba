import type { QueueEntry } from '../queue.ts'
import type { Sql } from './database.ts'
import { queueColumns, queueEntryOf } from './queue-row.ts'

/** One page, oldest first. */
export function listQueue(sql: Sql, afterId: number, limit: number): QueueEntry[] {
  return sql
    .all(`SELECT ${queueColumns} FROM queue WHERE queue > ? ORDER BY queue LIMIT ?`, afterId, limit)
    .map((row) => queueEntryOf(sql, row))
}

export function nextDueAt(sql: Sql): number | null {
  return sql.get('SELECT min(due_at) FROM queue')![0] as number | null
}

/** Looks at every row: once, when the store is opened. */
export function countQueue(sql: Sql): number {
  return sql.get('SELECT count(*) FROM queue')![0] as number
}
