import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { StoreStat } from '../../housekeeping.ts'
import type { Sql } from '../database.ts'
import { segmentFile } from '../segment-name.ts'
import { type SegmentWeight, weigh } from './weigh.ts'
import type { Work } from './work.ts'

/** How the store stands. Other rows may change while it reads. */
export async function stat(work: Work): Promise<StoreStat> {
  const { sql, folder } = work
  const [accounts, messages, octets] = numbersOf(
    sql,
    'SELECT count(*), sum(used_messages), sum(used_octets) FROM account JOIN account_state USING (account)',
  )
  const weights = await weigh(work)
  const segments = sql.all<readonly [number, number, number]>('SELECT segment, packed, octets FROM segment')
  // What the file has beyond is room for mail to come.
  const octetsOf = ([segment, , used]: (typeof segments)[number]) =>
    Math.min(sizeOf(segmentFile(folder, segment)), used)
  const fileOctets = segments.reduce((sum, row) => sum + octetsOf(row), 0)
  const total = (of: keyof Pick<SegmentWeight, 'liveOctets' | 'bodyOctets'>) =>
    [...weights.segments.values()].reduce((sum, weight) => sum + weight[of], 0)
  const liveOctets = total('liveOctets')
  return {
    ...{ accounts: accounts!, messages: messages!, octets: octets! },
    queued: numbersOf(sql, 'SELECT count(*) FROM queue')[0]!,
    segments: {
      count: segments.length,
      packed: segments.filter(([, packed]) => packed === 1).length,
      octets: fileOctets,
      liveOctets,
      garbageOctets: Math.max(0, fileOctets - liveOctets),
      bodyOctets: total('bodyOctets'),
    },
    largeBodies: weights.largeBodies,
    undelete: undeleteOf(sql),
    tablesOctets: sizeOf(join(folder, 'meta.db')),
    walOctets: sizeOf(join(folder, 'meta.db-wal')),
  }
}

function undeleteOf(sql: Sql): StoreStat['undelete'] {
  const [messages, octets] = numbersOf(sql, 'SELECT count(*), sum(octets) FROM tombstone')
  const [inMailboxes, mailboxOctets] = numbersOf(sql, 'SELECT sum(total), sum(octets) FROM deleted_mailbox')
  const [accounts] = numbersOf(sql, 'SELECT count(*) FROM removed_account')
  return { messages: messages! + inMailboxes!, octets: octets! + mailboxOctets!, accounts: accounts! }
}

function numbersOf(sql: Sql, text: string): number[] {
  return sql.get(text)!.map((value) => Number(value ?? 0))
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
