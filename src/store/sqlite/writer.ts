/**
 * The one that writes. It takes everything that has been asked since it last looked, changes the tables in one transaction,
 * puts the bodies of all of it and a record of its calls on the disk with one sync, and answers all of it at once: so a
 * hundred deliveries cost one sync, without any timer. The commit needs none, and several batches may share one
 * (commits.ts): what the tables lose, or never had, is done again from the records (redo.ts). A batch of which a call cannot
 * be done again has a commit of its own, which is synced.
 *
 * If one call of a batch fails, the batch is undone and done again call by call, so that only that one fails. If the disk
 * fails, all of the batch fails with StoreUnavailable, nothing of it has happened, and the next batch tries anew.
 */
import { join } from 'node:path'
import type { Limits } from '../../base/limits.ts'
import { StoreError, StoreUnavailable, StoreUnopenable } from '../errors.ts'
import type { AcceptCall, Place } from './accept.ts'
import { accept } from './accept.ts'
import { type DoneCall, isRedoable, packBatch, type SegmentEnd } from './batch-record.ts'
import { Checkpoints } from './checkpoints.ts'
import { Commits } from './commits.ts'
import type { Sql } from './database.ts'
import type { Delta } from './delta.ts'
import { mergeDeltas, packDelta } from './merge-deltas.ts'
import { isDiskFailure, isDiskFull, isSyncFailure, isTornTransaction } from './disk-failure.ts'
import type { Disk } from './disk.ts'
import { DiskReserve } from './disk-reserve.ts'
import type { KeptRoom } from './kept-room.ts'
import { Numbers } from './numbers.ts'
import { operations } from './operations.ts'
import { isSameEnd, type LostBatch, LostBatches } from './redo.ts'
import type { WriterCall, WriterData, WriterError, WriterPost, WriterReply } from './protocol.ts'
import { endOfTables, Segments } from './segments.ts'
import { Transaction } from './transaction.ts'
import { Unrecorded } from './unrecorded.ts'

const callsAtOnce = 200
const batchMs = 20

interface Waiting {
  readonly call: WriterCall
  readonly nowMs: number
  /** Bodies of the post it came with. */
  readonly bodies: Buffer | null
  place: Place | null
  error: WriterError | null
}

export class Writer {
  readonly #sql: Sql
  readonly #disk: Disk
  readonly #folder: string
  readonly #limits: Limits
  readonly #numbers: Numbers
  readonly #segments: Segments
  readonly #unrecorded: Unrecorded
  readonly #reserve: DiskReserve
  readonly #room: KeptRoom
  readonly #checkpoints: Checkpoints
  readonly #commits: Commits
  /** Told of a call that failed when it was done again. */
  #warn: (text: string) => void = () => {}
  /** Somebody wants to read what waits for a commit. */
  #reading = false
  readonly #interactive: Waiting[] = []
  readonly #bulk: Waiting[] = []
  /** While somebody copies them, files that no row names stay. */
  #keepers = 0
  readonly #unneededFiles: string[] = []

  constructor(sql: Sql, disk: Disk, { folder, limits, busyCalls }: WriterData, room: KeptRoom) {
    this.#sql = sql
    this.#disk = disk
    this.#folder = folder
    this.#limits = limits
    this.#numbers = new Numbers(sql)
    this.#segments = new Segments(sql, disk, folder)
    this.#unrecorded = new Unrecorded(sql)
    this.#reserve = new DiskReserve(disk, folder, limits.diskReserveOctets)
    this.#checkpoints = new Checkpoints(sql)
    this.#room = room
    this.#commits = new Commits(sql, this.#numbers, this.#segments, busyCalls)
  }

  /**
   * Must come first. Does again what the tables do not have. Nobody is told: nobody listens yet.
   *
   * @param warn Told of a call that failed though it had succeeded, now or later.
   * @returns How many calls.
   * @throws {StoreUnopenable} The tables are older than the segments.
   * @throws {Error} The disk fails, or a newer Posthorn wrote the records.
   */
  redo(warn: (text: string) => void): number {
    this.#warn = warn
    const calls = this.#redoLost(null)
    if (this.#segments.resume())
      warn('a batch is not whole: it was not acknowledged, unless its file is damaged')
    return calls
  }

  /** @throws {Error} The disk fails. */
  #catchUp(): void {
    if (!this.#commits.behind) return
    const given = this.#numbers.given
    try {
      this.#redoLost(this.#segments.reached)
    } finally {
      this.#numbers.skip(given)
    }
    if (!isSameEnd(endOfTables(this.#sql), this.#segments.reached))
      throw new Error('records of what was answered cannot be read')
    this.#commits.caughtUp()
  }

  /** @param until What comes behind was refused, if it could not be struck out; null: nobody knows. */
  #redoLost(until: SegmentEnd | null): number {
    const lost = new LostBatches(this.#folder, this.#unrecorded.count)
    let calls = 0
    for (let at = endOfTables(this.#sql); until === null || !isSameEnd(at, until); ) {
      const next = lost.after(at)
      if (next === null) break
      this.#redoSomehow(next)
      calls += next.calls.length
      at = next.end
    }
    return calls
  }

  #redoSomehow(batch: LostBatch): void {
    try {
      this.#redoBatch(batch)
    } catch (error) {
      if (!isDiskFailure(error) || isSyncFailure(error)) throw error
      this.#commits.undo()
      this.#checkpoints.reuseLog()
      this.#redoBatch(batch)
    }
  }

  #redoBatch(batch: LostBatch): void {
    this.#sql.exec('BEGIN IMMEDIATE')
    for (const done of batch.calls) this.#redoCall(done)
    this.#numbers.note()
    this.#segments.redone(batch.end)
    this.#sql.exec('COMMIT')
    this.#checkpoints.afterCommit(batch.calls.length, false)
  }

  #redoCall({ name, call, nowMs, numbers, place }: DoneCall): void {
    this.#numbers.resume(numbers)
    this.#sql.run('SAVEPOINT call')
    try {
      this.#perform(new Transaction(this.#sql, this.#numbers, this.#limits, nowMs), name, call, place)
    } catch (error) {
      if (isDiskFailure(error) || isTornTransaction(error)) throw error
      this.#sql.exec('ROLLBACK TO call')
      this.#warn(`${name}: ${String(error)}`)
    }
    this.#sql.run('RELEASE call')
  }

  add(post: WriterPost): void {
    const bodies = post.bodies === null ? null : Buffer.from(post.bodies)
    const waiting = (call: WriterCall): Waiting => ({
      ...{ call, nowMs: post.nowMs, bodies, place: null, error: null },
    })
    for (const call of post.interactive) this.#interactive.push(waiting(call))
    for (const call of post.bulk) this.#bulk.push(waiting(call))
    this.#reading ||= post.reading
  }

  get isIdle(): boolean {
    return this.#interactive.length === 0 && this.#bulk.length === 0
  }

  /** Set: the log is not to be trusted any more, and this writer is not to be asked again. */
  get failure(): Error | null {
    return this.#checkpoints.failure
  }

  /** Does one batch of what waits. */
  runBatch(): WriterReply {
    // Bulk work is let in when nothing else waits; else one piece of it a batch, so that it ends one day.
    const batch = this.#interactive.splice(0, callsAtOnce)
    batch.push(...this.#bulk.splice(0, batch.length === 0 ? callsAtOnce : 1))
    this.#placeBodies(batch)
    const outcome = this.#do(batch)
    this.#giveBack(outcome.left)
    this.#keepers += outcome.keepers
    if (this.isIdle) this.#reading = false
    this.#unneededFiles.push(...outcome.unneededFiles)
    if (this.#keepers === 0) this.#removeFiles(this.#unneededFiles.splice(0))
    const failed = batch.filter((waiting) => waiting.error !== null && !outcome.left.includes(waiting))
    return {
      kind: 'done',
      done: outcome.done,
      failed: failed.map(({ call, error }) => ({ id: call.id, error: error! })),
      deltas: mergeDeltas(outcome.deltas).map(packDelta),
      queued: outcome.queued,
      freedOctets: outcome.freedOctets,
      queueGrowth: outcome.queueGrowth,
      readable: this.isReadable,
    }
  }

  /** Whether the tables show everything that was answered. */
  get isReadable(): boolean {
    return this.#commits.pending === 0 && !this.#commits.behind
  }

  /** Commits what waits for it. @throws {Error} The disk fails: what waited is done again before the next batch. */
  settle(): void {
    try {
      this.#catchUp()
      this.#commit(0)
    } catch (error) {
      this.#rollback()
      if (isDiskFull(error)) this.#room.free()
      this.#checkpoints.afterFailure(error)
      throw error
    }
  }

  /** There has been nothing to do for a while. */
  rest(): void {
    if (this.#keepers === 0) this.#checkpoints.whenIdle()
    this.#room.keep()
  }

  close(): void {
    try {
      this.settle()
    } catch {
      // The next start does it.
    }
    this.#segments.close()
    this.#checkpoints.whenIdle()
    this.#sql.close()
  }

  #placeBodies(batch: readonly Waiting[]): void {
    const arrived: Waiting[] = []
    for (const waiting of batch) {
      if (waiting.call.name !== 'accept') continue
      const { body } = waiting.call.call as AcceptCall
      // A call that was put back after its body had been placed keeps its place.
      if (waiting.place !== null && this.#canKeep(waiting.place)) continue
      if (!this.#hasRoom(waiting)) continue
      if ('file' in body) waiting.place = body
      else arrived.push(waiting)
    }
    try {
      const placed = this.#segments.place(
        arrived.map((waiting) => {
          const call = waiting.call.call as AcceptCall
          return { buffer: waiting.bodies!, at: (call.body as { at: number }).at, octets: call.octets }
        }),
      )
      arrived.forEach((waiting, i) => {
        waiting.place = placed[i]!
      })
    } catch (error) {
      for (const waiting of arrived) waiting.error = unavailable(error)
    }
  }

  /** A segment that was left since is sealed: no row comes to it any more, or the housekeeping would remove it with its body. */
  #canKeep(place: Place): boolean {
    return 'file' in place || this.#segments.isWriting(place.segment)
  }

  #do(batch: readonly Waiting[]): Outcome {
    const alive = batch.filter((waiting) => waiting.error === null)
    const redoable = alive.every(({ call }) => isRedoable(call.name))
    let outcome = this.#attempt(alive, false, redoable)
    if (outcome === 'again') outcome = this.#attempt(alive, true, redoable)
    if (outcome !== 'unwritten') return settled(outcome)
    // The segment failed: what needs none is done all the same.
    const others = alive.filter((waiting) => waiting.error === null)
    outcome = this.#attempt(others, false, false)
    if (outcome === 'again') outcome = this.#attempt(others, true, false)
    return settled(outcome)
  }

  /** New mail is refused before the disk is full; what frees room never asks. */
  #hasRoom(waiting: Waiting): boolean {
    try {
      this.#reserve.check()
      return true
    } catch (error) {
      waiting.error = unavailable(error)
      return false
    }
  }

  /**
   * @param redoable The batch is recorded in the segment instead of being synced by its commit.
   * @returns `again` when a call failed and the batch must be done call by call; `unwritten` when the segment failed, and
   *   those whose bodies were for it have their error.
   */
  #attempt(batch: readonly Waiting[], careful: boolean, redoable: boolean): Outcome | 'again' | 'unwritten' {
    const outcome: Outcome = emptyOutcome()
    const startedAt = performance.now()
    try {
      this.#catchUp()
      if (!redoable) this.#commit(0)
      this.#commits.begin(!redoable, startedAt)
      for (let i = 0; i < batch.length; i++) {
        if (i > 0 && performance.now() - startedAt > batchMs) {
          outcome.left = batch.slice(i)
          break
        }
        if (!this.#runCall(batch[i]!, careful, outcome)) {
          this.#rollback()
          return 'again'
        }
      }
      if (!redoable && outcome.done.length > 0) this.#unrecorded.note()
      // Records follow one another: bodies of calls that failed, or that are left, need one too.
      const recorded = redoable && (outcome.calls.length > 0 || this.#segments.moves)
      const record = recorded ? this.#record(outcome.calls) : null
      try {
        this.#segments.write(record)
      } catch (error) {
        this.#rollback()
        for (const waiting of batch)
          if (waiting.place !== null && !('file' in waiting.place)) waiting.error = unavailable(error)
        return 'unwritten'
      }
      const calls = outcome.calls.length
      const mayWait = redoable && !this.#reading && this.#commits.mayWait(calls, startedAt)
      if (mayWait) this.#commits.wait(calls)
      else this.#commit(calls)
      this.#segments.written()
      this.#unrecorded.committed()
      return outcome
    } catch (error) {
      this.#rollback()
      // New mail left it: what is done now frees room, as a rule.
      if (isDiskFull(error)) this.#room.free()
      this.#checkpoints.afterFailure(error)
      for (const waiting of batch) waiting.error = unavailable(error)
      return emptyOutcome()
    }
  }

  /** @param calls Of the batch that is committed with those that have waited. */
  #commit(calls: number): void {
    if (!this.#commits.isOpen) return
    this.#checkpoints.afterCommit(calls + this.#commits.commit(), this.#keepers > 0)
  }

  #record(calls: readonly DoneCall[]): Buffer {
    return packBatch({ after: this.#segments.reached, unrecorded: this.#unrecorded.count, calls })
  }

  /**
   * @returns False when it failed and the transaction must be begun again.
   * @throws {Error} The disk fails: for the whole batch.
   */
  #runCall(waiting: Waiting, careful: boolean, outcome: Outcome): boolean {
    const tx = new Transaction(this.#sql, this.#numbers, this.#limits, waiting.nowMs)
    const { call, nowMs, place } = waiting
    const savepoint = careful || mayBeRefused(call)
    const numbers = this.#numbers.given
    if (savepoint) this.#sql.run('SAVEPOINT call')
    try {
      const value = this.#perform(tx, call.name, call.call, place)
      if (savepoint) this.#sql.run('RELEASE call')
      outcome.done.push({ id: call.id, value })
      // Who asked for nothing reads when it is answered.
      if (call.name === 'nothing') this.#reading = true
      else outcome.calls.push({ name: call.name, call: call.call, nowMs, numbers, place })
      outcome.deltas.push(...tx.deltas)
      outcome.unneededFiles.push(...tx.unneededFiles)
      outcome.freedOctets += tx.freedOctets
      outcome.queueGrowth += tx.queueGrowth
      outcome.keepers += tx.keepers
      outcome.queued ||= tx.queued
      return true
    } catch (error) {
      if (isDiskFailure(error) || isTornTransaction(error)) throw error
      if (!savepoint) return false
      this.#sql.exec('ROLLBACK TO call; RELEASE call')
      waiting.error = describeError(error)
      return true
    }
  }

  #perform(tx: Transaction, name: WriterCall['name'], call: unknown, place: Place | null): unknown {
    if (name === 'accept') return accept(tx, call as AcceptCall, place!)
    const operation = operations[name] as (tx: Transaction, call: unknown) => unknown
    return operation(tx, call)
  }

  #rollback(): void {
    this.#segments.undo()
    this.#unrecorded.undone()
    this.#commits.undo()
  }

  #giveBack(left: readonly Waiting[]): void {
    if (left.length > 0) this.#interactive.unshift(...left)
  }

  #removeFiles(files: readonly string[]): void {
    for (const file of files) {
      try {
        this.#disk.remove(join(this.#folder, file))
      } catch {
        // The next sweep finds it: it has no row.
      }
    }
  }
}

interface Outcome {
  readonly done: { id: number; value: unknown }[]
  readonly calls: DoneCall[]
  readonly deltas: Delta[]
  readonly unneededFiles: string[]
  freedOctets: number
  queueGrowth: number
  keepers: number
  queued: boolean
  /** Not begun: the batch had lasted long enough. */
  left: readonly Waiting[]
}

function emptyOutcome(): Outcome {
  return {
    ...{ done: [], calls: [], deltas: [], unneededFiles: [], freedOctets: 0, queueGrowth: 0, keepers: 0 },
    ...{ queued: false, left: [] },
  }
}

/** Others fail with the disk only: with them goes their whole batch, and what it shares a transaction with is done again. */
function mayBeRefused(call: WriterCall): boolean {
  if (call.name === 'accept') return call.call.withinQuota
  return call.name !== 'settle' && call.name !== 'lease' && call.name !== 'renewLease'
}

function settled(outcome: Outcome | 'again' | 'unwritten'): Outcome {
  if (typeof outcome !== 'string') return outcome
  throw new Error('Cannot happen: a batch with savepoints and without bodies asks to be done again')
}

export function describeError(error: unknown): WriterError {
  if (error instanceof StoreUnopenable) {
    const { name, message, remedy } = error
    return { name, message, remedy }
  }
  if (error instanceof StoreError) return { name: error.name, message: error.message }
  return { name: 'Error', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

function unavailable(error: unknown): WriterError {
  const text = error instanceof Error ? error.message : String(error)
  return { name: StoreUnavailable.name, message: text }
}
