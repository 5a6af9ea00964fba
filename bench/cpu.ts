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

/** The same by the name of the thread; threads of one name together. Linux keeps 15 chars of a name. */
export function cpuByThread(pid: number): Map<string, number> {
  const seconds = new Map<string, number>()
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const at = `/proc/${pid}/task/${thread}`
      const name = readFileSync(`${at}/comm`, 'latin1').trim()
      const used = Number(readFileSync(`${at}/schedstat`, 'latin1').split(' ')[0]) / 1e9
      seconds.set(name, (seconds.get(name) ?? 0) + used)
    } catch {
      // It has ended between the two reads.
    }
  }
  return seconds
}

/** Resident set in MB. */
export function residentMegabytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  return found === null ? 0 : Number(found[1]) / 1024
}
