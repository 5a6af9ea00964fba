import type { SecureContext } from 'node:tls'

/** What the doors need for TLS; the context is asked for anew for each handshake, so that a renewed certificate counts. */
export interface ServerTls {
  context(): SecureContext
}
