import { connect, isIP, type Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import type { Endpoint } from '../../base/config.ts'
import type { Dialler, Target } from '../../base/dialler.ts'
import { isPrivateAddress } from './private-address.ts'
import { endpointName, isLoopback } from '../../base/peer.ts'

export interface DiallerOptions {
  /** Source address; null leaves it to the system. */
  readonly localAddress: string | null
  readonly clock: Clock
  /**
   * Addresses that are no public server's are not dialled, whoever's DNS says so: a stranger who may choose where mail goes
   * must not reach what only this machine can. Absent: they are.
   */
  readonly refusePrivate?: {
    /** Where the operator's own routes lead. */
    readonly except: () => readonly Endpoint[]
  }
}

/** A connection that we refuse to open, or that took too long; `code` as the system would name it. */
export class DialFailure extends Error {
  readonly code: string

  constructor(text: string, code: string, options?: ErrorOptions) {
    super(text, options)
    this.name = 'DialFailure'
    this.code = code
  }
}

/** The real dialler: TCP to an IP address, never to a name, since all look-ups go through our own resolver. */
export function createDialler(options: DiallerOptions): Dialler {
  const { localAddress, clock, refusePrivate } = options
  return (target, timeoutMs) => {
    const family = isIP(target.address)
    const where = endpointName(target.address, target.port)
    if (family === 0) return refuseDial(`Cannot connect to ${where}: not an address`, 'EINVAL')
    if (localAddress !== null && isIP(localAddress) !== family) {
      return refuseDial(`Cannot connect to ${where} from ${localAddress}: not of one family`, 'EAFNOSUPPORT')
    }
    const { address, port } = target
    if (refusePrivate !== undefined && isPrivateAddress(address)) {
      const routed = refusePrivate.except().some((route) => route.address === address && route.port === port)
      // As the system names what a packet filter forbids.
      if (!routed) return refuseDial(`Cannot connect to ${where}: a private address`, 'EACCES')
    }
    return dial({ address, port, localAddress }, where, timeoutMs, clock)
  }
}

/**
 * The Lab's dialler: loopback only, whatever DNS says, with ports translated by host name.
 *
 * A target that is not in the map is dialled as it is when it is on loopback and its port is not a privileged one: the
 * mail server that the machine itself may have on port 25 is no part of the Lab.
 *
 * @param portMap By `hostname:port`, lower case: `mx.hamburger.edu:25`.
 */
export function loopbackDialler(portMap: ReadonlyMap<string, Endpoint>, clock: Clock): Dialler {
  return (target, timeoutMs) => {
    const { address, port } =
      portMap.get(`${target.hostname.toLowerCase()}:${target.port}`) ?? unprivileged(target)
    const where = endpointName(address, port)
    if (isIP(address) === 0 || !isLoopback(address)) {
      return refuseDial(`Cannot connect to ${where}: the Lab reaches loopback only`, 'ENETUNREACH')
    }
    if (port === 0) {
      const name = `${target.hostname}:${target.port}`
      return refuseDial(`Cannot connect to ${name}: no such server in the Lab`, 'ECONNREFUSED')
    }
    return dial({ address, port, localAddress: null }, where, timeoutMs, clock)
  }
}

function unprivileged(target: Target): Endpoint {
  return { address: target.address, port: target.port < 1_024 ? 0 : target.port }
}

function refuseDial(text: string, code: string): Promise<never> {
  return Promise.reject(new DialFailure(text, code))
}

function dial(
  to: Endpoint & { readonly localAddress: string | null },
  where: string,
  timeoutMs: number,
  clock: Clock,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: to.address,
      port: to.port,
      noDelay: true,
      ...(to.localAddress === null ? {} : { localAddress: to.localAddress }),
    })
    const cancel = clock.after(timeoutMs, () => {
      socket.destroy()
      reject(new DialFailure(`Cannot connect to ${where}: no answer in ${timeoutMs} ms`, 'ETIMEDOUT'))
    })
    const fail = (error: NodeJS.ErrnoException): void => {
      cancel()
      socket.destroy()
      reject(
        new DialFailure(`Cannot connect to ${where}: ${error.message}`, error.code ?? 'EIO', {
          cause: error,
        }),
      )
    }
    socket.once('error', fail)
    // Stays: an error between here and the first reader would end the process.
    socket.on('error', () => {})
    socket.once('connect', () => {
      cancel()
      socket.off('error', fail)
      resolve(socket)
    })
  })
}
