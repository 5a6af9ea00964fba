/**
 * Uploads a report, RFC 8460: POST to the URL that the domain's record names. The name is looked up by our resolver
 * and dialled by our dialler, which refuses what is private; redirects are not followed.
 */
import { request } from 'node:https'
import { connect, rootCertificates } from 'node:tls'
import type { Dialler } from '../../base/dialler.ts'
import type { Clock } from '../../base/clock.ts'
import type { Resolver } from '../../dns/resolver.ts'

export interface UploadWorld {
  readonly resolver: Resolver
  readonly dialler: Dialler
  readonly clock: Clock
  /** PEM of authorities that count besides the well-known ones. */
  readonly authorities: readonly string[]
}

const timeoutMs = 30_000
const httpsPort = 443

/** @throws {Error} It was not taken; it may be later. */
export async function upload(
  world: UploadWorld,
  url: string,
  content: Uint8Array,
  mediaType: string,
): Promise<void> {
  const { hostname } = new URL(url)
  const addresses = await addressesOf(world.resolver, hostname)
  let last: unknown = new Error(`${hostname} has no address`)
  for (const address of addresses.slice(0, 2)) {
    try {
      return await post(world, { url, hostname, address }, content, mediaType)
    } catch (error) {
      last = error
    }
  }
  throw last
}

async function addressesOf(resolver: Resolver, hostname: string): Promise<string[]> {
  // An address in the URL is nobody's reporting service.
  if (/^[\d.]+$|^\[/.test(hostname)) return []
  const answers = await Promise.all([resolver.query(hostname, 'A'), resolver.query(hostname, 'AAAA')])
  return answers.flatMap(({ records }) => [...records])
}

async function post(
  { dialler, clock, authorities }: UploadWorld,
  { url, hostname, address }: { readonly url: string; readonly hostname: string; readonly address: string },
  content: Uint8Array,
  mediaType: string,
): Promise<void> {
  const plain = await dialler({ hostname, address, port: httpsPort }, timeoutMs)
  // Only when there are some: to read the well-known ones anew takes milliseconds.
  const ca = authorities.length === 0 ? {} : { ca: [...rootCertificates, ...authorities] }
  const socket = connect({ socket: plain, servername: hostname, ALPNProtocols: ['http/1.1'], ...ca })
  await new Promise<void>((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () => fail(new Error(`${hostname} did not answer in time`)))
    const fail = (error: Error): void => {
      cancel()
      socket.destroy()
      plain.destroy()
      reject(error)
    }
    const headers = { 'Content-Type': mediaType, 'Content-Length': content.length, Connection: 'close' }
    const asking = request(url, { method: 'POST', headers, createConnection: () => socket }, (response) => {
      const { statusCode = 0 } = response
      if (statusCode < 200 || statusCode > 299) return fail(new Error(`${hostname} answered ${statusCode}`))
      cancel()
      response.destroy()
      socket.destroy()
      resolve()
    })
    asking.on('error', fail)
    asking.end(content)
  })
}
