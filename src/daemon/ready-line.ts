import type { DoorName } from '../base/config.ts'

/** One server in the ready line: each open door with the address it listens on, `http://…` where a browser is to go. */
export type ServerLine = {
  readonly domain: string
  readonly hostname: string
} & { readonly [door in DoorName]?: string }

/** What `--json` prints, on one line, when every door is open, so that scripts and exercises need not guess. */
export interface ReadyLine {
  readonly ready: true
  readonly pid: number
  /** The Lab's name server. */
  readonly dns?: string
  /** PEM file of the Lab's own authority. */
  readonly ca?: string
  /** Socket of the admin API. */
  readonly control?: string
  readonly servers: readonly ServerLine[]
  /** The Lab's only: nobody else's passwords are known. */
  readonly accounts?: readonly { readonly address: string; readonly password: string }[]
}

export function formatReadyLine(line: ReadyLine): string {
  return `${JSON.stringify(line)}\n`
}
