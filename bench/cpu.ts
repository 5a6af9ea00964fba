import { readdirSync, readFileSync } from 'node:fs'

/** CPU seconds of all threads of a process so far, user and system. Linux only: /proc/PID/task/TID/schedstat. */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0])
    } catch {
      // The thread has ended between the two reads.
    }
  }
  return nanoseconds / 1e9
}

/** Resident set in MB. */
export function residentMegabytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  return found === null ? 0 : Number(found[1]) / 1024
}
