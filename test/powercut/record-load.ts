/** Runs the load under the shim and gives back all that it did to the disk. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Mark } from './marks.ts'
import { readTrace, type TraceRecord } from './trace.ts'

const child = new URL('./load-child.ts', import.meta.url).pathname
const preload = new URL('./preload.ts', import.meta.url).href

/** Below the folder that is the disk: neither of the two is there before. */
export const dataFolder = 'var/data'

export interface Load {
  readonly shim: string
  /** Stands for the disk. */
  readonly disk: string
  readonly letters: number
  /** Number of the first letter, below the next 1,000,000; each process takes a million. */
  readonly first: number
  readonly seed: number
  /** One process after another, by how it ends. */
  readonly processes: readonly ('close' | 'kill')[]
  readonly environment?: NodeJS.ProcessEnv
}

export interface Trace {
  /** What the processes called the disk. */
  readonly root: string
  readonly records: readonly TraceRecord[]
  /** By the number of the record they came in. */
  readonly marks: ReadonlyMap<number, readonly Mark[]>
}

export function recordLoad({ shim, disk, letters, first, seed, processes, environment }: Load): Trace {
  mkdirSync(disk, { recursive: true })
  const [log, marksFile] = [`${disk}.log`, `${disk}.marks`]
  const shimmed = { LD_PRELOAD: shim, SHIM_FOLDER: disk, SHIM_LOG: log, SHIM_MARKS: marksFile }
  const env = { ...process.env, ...shimmed, ...environment }
  for (const [i, end] of processes.entries()) {
    const numbers = [first + i * 1_000_000, Math.ceil(letters / processes.length), seed + i]
    const args = ['--import', preload, child, join(disk, dataFolder), marksFile, ...numbers.map(String), end]
    const result = spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 120_000 })
    const ended = [result.status, result.signal]
    assert.deepEqual(ended, end === 'kill' ? [null, 'SIGKILL'] : [0, null], result.stderr)
  }
  const records = readTrace(readFileSync(log))
  for (const file of [disk, log, marksFile]) rmSync(file, { recursive: true })
  return { root: disk, records, marks: readMarks(records) }
}

function readMarks(records: readonly TraceRecord[]): Map<number, Mark[]> {
  const marks = new Map<number, Mark[]>()
  for (const [i, { kind, data }] of records.entries()) {
    if (kind !== 'mark') continue
    const lines = data.toString().trimEnd().split('\n')
    const values = lines.map((line) => JSON.parse(line) as Mark)
    marks.set(i, values)
  }
  return marks
}
