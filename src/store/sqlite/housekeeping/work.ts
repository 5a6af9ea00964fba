import type { Limits } from '../../../base/limits.ts'
import type { CleanReport } from '../../housekeeping.ts'
import type { Sql } from '../database.ts'
import type { Disk } from '../disk.ts'
import type { CallOf, OperationName, ResultOf } from '../operations.ts'

/** What a step of the housekeeping works with. It only reads; what is to be changed is asked of the writer. */
export interface Work {
  readonly sql: Sql
  readonly disk: Disk
  /** The shard's. */
  readonly folder: string
  readonly limits: Limits
  /** The store's clock when the pass began. */
  readonly nowMs: number
  /** A reader that has looked up a place opens its file within this time, or looks again. */
  readonly leaveMs: number
  readonly report: Counts
  /** Asks the writer, behind everything else. */
  ask<Name extends OperationName>(name: Name, call: CallOf<Name>): Promise<ResultOf<Name>>
  /**
   * Between two pieces of work.
   *
   * @param octets Read since the last pause: then it takes as long as the bound on them asks.
   * @throws {Stopped}
   */
  pause(octets?: number): Promise<void>
  /** How far it is. */
  tell(step: string, done?: number, total?: number): void
  warn(text: string, facts: { readonly [name: string]: unknown }): void
}

export type Counts = { -readonly [Name in keyof CleanReport]: number }

/** The store closes: everything stays as it is now. */
export class Stopped extends Error {}

export function noCounts(): Counts {
  return {
    ...{ expired: 0, forgotten: 0, orphanRows: 0, orphanFiles: 0 },
    ...{ segmentsRemoved: 0, segmentsRewritten: 0, octetsRead: 0, octetsWritten: 0, damaged: 0 },
  }
}
