/** Builds shim.c and gives a process the environment under which it runs below the shim. */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { requirePrograms, skipLoudly } from '../harness/programs.ts'

/** @returns The shared library; null when it cannot be built here, and then the test has been skipped. */
export async function buildShim(t: TestContext, folder: string): Promise<string | null> {
  if (process.platform !== 'linux') {
    skipLoudly(t, 'test/powercut needs Linux')
    return null
  }
  if (!(await requirePrograms({ debian: { cc: 'gcc', '/usr/include/stdlib.h': 'libc6-dev' } }, t)))
    return null
  const library = join(folder, 'shim.so')
  const source = new URL('./shim.c', import.meta.url).pathname
  execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl', '-lpthread'])
  return library
}

/** Calls that can be made to fail; sums of them are allowed. */
export const failing = {
  open: 1,
  write: 2,
  sync: 4,
  truncate: 8,
  rename: 16,
  unlink: 32,
  mkdir: 64,
  read: 128,
} as const

export const changing =
  failing.open |
  failing.write |
  failing.sync |
  failing.truncate |
  failing.rename |
  failing.unlink |
  failing.mkdir

export const errno = { EIO: 5, EMFILE: 24, ENOSPC: 28 } as const

/** `struct orders` of shim.c, through the file that both have mapped. */
export class Orders {
  readonly #fd: number

  constructor(file: string) {
    writeFileSync(file, Buffer.alloc(128), { flag: 'a' })
    this.#fd = openSync(file, 'r+')
  }

  /** @param order.part Only files with this in their path. */
  fail(order: {
    mask: number
    error: number
    after?: number
    times?: number
    half?: boolean
    part?: string
  }): void {
    const octets = Buffer.alloc(128)
    const times = order.times ?? 1
    const numbers = [order.mask, order.after ?? 0, times, order.error, order.half === true ? 1 : 0]
    for (const [i, value] of numbers.entries()) octets.writeInt32LE(value, i * 4)
    octets.write(order.part ?? '', 32)
    writeSync(this.#fd, octets, 0, octets.length, 0)
  }

  none(): void {
    writeSync(this.#fd, Buffer.alloc(4), 0, 4, 0)
  }

  /** Calls of that kind since `fail`, and how many of them failed. */
  counts(): { seen: number; failed: number } {
    const octets = Buffer.alloc(32)
    readSync(this.#fd, octets, 0, octets.length, 0)
    return { seen: octets.readInt32LE(20), failed: octets.readInt32LE(24) }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
