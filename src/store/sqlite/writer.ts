/**
 * The one that writes. It takes everything that has been asked since it last looked, puts the bodies of all of it on the
 * disk with one sync, changes the tables in one transaction, and answers all of it at once: so a hundred deliveries cost
 * two syncs, without any timer. Order: body durable, row durable, answer.
 *
 * If one call of a batch fails, the batch is undone and done again call by call, so that only that one fails. If the disk
 * fails, all of the batch fails with StoreUnavailable, nothing of it has happened, and the next batch tries anew.
 */
import { join } from 'node:path'
import type { Limits } from '../../base/limits.ts'
import { StoreError, StoreUnavailable } from '../errors.ts'
import type { AcceptCall, Place } from './accept.ts'
import { accept } from './accept.ts'
import { Checkpoints } from './checkpoints.ts'
import type { Sql } from './database.ts'
import type { Delta } from './delta.ts'
import { mergeDeltas, packDelta } from './merge-deltas.ts'
import { isDiskFailure, isTornTransaction } from './disk-failure.ts'
import type { Disk } from './disk.ts'
import { DiskReserve } from './disk-reserve.ts'
import { Numbers } from './numbers.ts'
import { operations } from './operations.ts'
import type { WriterCall, WriterError, WriterPost, WriterReply } from './protocol.ts'
import { Segments } from './segments.ts'
import { Transaction } from './transaction.ts'

const callsAtOnce = 200
const batchMs = 20
/** For so long what nobody waits for may wait for company: a commit costs two writes to the disk, whatever is in it. */
const patienceMs = 5

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
  readonly #reserve: DiskReserve
  readonly #checkpoints: Checkpoints
  readonly #interactive: Waiting[] = []
  readonly #patient: Waiting[] = []
  readonly #bulk: Waiting[] = []
  /** When the first of the patient ones came. */
  #patientSince = 0
  /** While somebody copies them, files that no row names stay. */
  #keepers = 0
  readonly #unneededFiles: string[] = []

  constructor(sql: Sql, disk: Disk, folder: string, limits: Limits) {
    this.#sql = sql
    this.#disk = disk
    this.#folder = folder
    this.#limits = limits
    this.#numbers = new Numbers(sql)
    this.#segments = new Segments(sql, disk, folder)
    this.#reserve = new DiskReserve(disk, folder, limits.diskReserveOctets)
    this.#checkpoints = new Checkpoints(sql)
  }

  add(post: WriterPost): void {
    const bodies = post.bodies === null ? null : Buffer.from(post.bodies)
    const waiting = (call: WriterCall): Waiting => ({
      ...{ call, nowMs: post.nowMs, bodies, place: null, error: null },
    })
    for (const call of post.interactive) this.#interactive.push(waiting(call))
    if (this.#patient.length === 0) this.#patientSince = performance.now()
    for (const call of post.patient) this.#patient.push(waiting(call))
    for (const call of post.bulk) this.#bulk.push(waiting(call))
  }

  /** Milliseconds until there is something to do: 0 for now, null when nothing waits. */
  get dueInMs(): number | null {
    if (this.#interactive.length > 0 || this.#bulk.length > 0) return 0
    if (this.#patient.length === 0) return null
    return Math.max(0, this.#patientSince + patienceMs - performance.now())
  }

  /** Does one batch of what waits. */
  runBatch(): WriterReply {
    // Bulk work is let in when nothing else waits; else one piece of it a batch, so that it ends one day.
    const batch = this.#interactive.splice(0, callsAtOnce)
    batch.push(...this.#patient.splice(0, callsAtOnce))
    batch.push(...this.#bulk.splice(0, batch.length === 0 ? callsAtOnce : 1))
    this.#placeBodies(batch)
    const alive = batch.filter((waiting) => waiting.error === null)
    let outcome = this.#attempt(alive, false)
    if (outcome === 'again') outcome = this.#attempt(alive, true)
    if (outcome === 'again') throw new Error('Cannot happen: a batch with savepoints asks to be done again')
    this.#giveBack(outcome.left)
    this.#keepers += outcome.keepers
    this.#checkpoints.afterCommit(outcome.done.length, this.#keepers > 0)
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
    }
  }

  /** There has been nothing to do for a while. */
  rest(): void {
    if (this.#keepers === 0) this.#checkpoints.whenIdle()
  }

  close(): void {
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
      if (waiting.place !== null) continue
      if (!this.#hasRoom(waiting)) continue
      if ('file' in body) waiting.place = body
      else arrived.push(waiting)
    }
    if (arrived.length === 0) return
    try {
      const placed = this.#segments.append(
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

  /** @returns `again` when a call failed and the batch must be done call by call. */
  #attempt(batch: readonly Waiting[], careful: boolean): Outcome | 'again' {
    const outcome: Outcome = emptyOutcome()
    const startedAt = performance.now()
    try {
      this.#sql.exec('BEGIN IMMEDIATE')
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
      this.#numbers.note()
      this.#segments.note()
      this.#sql.exec('COMMIT')
      this.#segments.noted()
      return outcome
    } catch (error) {
      this.#rollback()
      for (const waiting of batch) waiting.error = unavailable(error)
      return emptyOutcome()
    }
  }

  /**
   * @returns False when it failed and the transaction must be begun again.
   * @throws {Error} The disk fails: for the whole batch.
   */
  #runCall(waiting: Waiting, careful: boolean, outcome: Outcome): boolean {
    const tx = new Transaction(this.#sql, this.#numbers, this.#limits, waiting.nowMs)
    const savepoint = careful || waiting.call.name !== 'accept'
    if (savepoint) this.#sql.run('SAVEPOINT call')
    try {
      const value = this.#perform(tx, waiting)
      if (savepoint) this.#sql.run('RELEASE call')
      outcome.done.push({ id: waiting.call.id, value })
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

  #perform(tx: Transaction, { call, place }: Waiting): unknown {
    if (call.name === 'accept') return accept(tx, call.call as AcceptCall, place!)
    const operation = operations[call.name] as (tx: Transaction, call: unknown) => unknown
    return operation(tx, call.call)
  }

  #rollback(): void {
    this.#numbers.forgetNote()
    try {
      this.#sql.exec('ROLLBACK')
    } catch {
      // SQLite has already undone it, as it does when the disk is full.
    }
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
    ...{ done: [], deltas: [], unneededFiles: [], freedOctets: 0, queueGrowth: 0, keepers: 0 },
    ...{ queued: false, left: [] },
  }
}

function describeError(error: unknown): WriterError {
  if (error instanceof StoreError) return { name: error.name, message: error.message }
  return { name: 'Error', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

function unavailable(error: unknown): WriterError {
  const text = error instanceof Error ? error.message : String(error)
  return { name: StoreUnavailable.name, message: text }
}
