import type { DoorName, Endpoint } from '../base/config.ts'
import { formatEndpoint } from './endpoint-text.ts'

/** A server that cannot start, and what to do about it. */
export class StartError extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
    this.remedy = remedy
  }
}

/** Says of a door that cannot be opened why, and what to do. @param error From `listen`: its cause is the system's. */
export function explainListenFailure(
  door: DoorName,
  endpoints: readonly Endpoint[],
  error: unknown,
): StartError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const { code, address, port } = cause as NodeJS.ErrnoException & { address?: string; port?: number }
  const endpoint = { address: address ?? endpoints[0]?.address ?? '', port: port ?? endpoints[0]?.port ?? 0 }
  const start = `Cannot open listen.${door} on ${formatEndpoint(endpoint)}`
  const options = { cause: error }
  if (code === 'EADDRINUSE') {
    const remedy = `Stop the other program (ss -ltnp "sport = :${endpoint.port}" names it) or choose another port.`
    return new StartError(`${start}: the port is in use already`, remedy, options)
  }
  if (code === 'EACCES' && endpoint.port < 1024) {
    const remedy =
      'Choose a port from 1024 on, start as root, or let systemd give the right: ' +
      'AmbientCapabilities=CAP_NET_BIND_SERVICE.'
    return new StartError(`${start}: ports below 1024 need a right that this user has not`, remedy, options)
  }
  if (code === 'EADDRNOTAVAIL') {
    const remedy = 'Write one of its addresses (ip address shows them), or 0.0.0.0 for all of them.'
    return new StartError(`${start}: this machine has no such address`, remedy, options)
  }
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StartError(`${start}: ${reason}`, `Look at listen.${door} in the configuration.`, options)
}
