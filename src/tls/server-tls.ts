import { createSecureContext, type SecureContext } from 'node:tls'
import type { CertificateAndKey } from './certificate.ts'

/** What the doors need for TLS; the context is asked for anew for each handshake, so that a renewed certificate counts. */
export interface ServerTls {
  context(): SecureContext
}

export interface ReloadableServerTls extends ServerTls {
  /** Uses another certificate from the next handshake on. @throws {Error} It cannot be used; the old one stays. */
  replace(pem: CertificateAndKey): void
}

/**
 * TLS 1.2's suites, ours first: forward secrecy always; CBC at the very end for mail servers of 2012 that have nothing
 * better for an RSA key, and would otherwise send in the clear. TLS 1.3 has its own list, which needs no choosing.
 */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-RSA-AES256-SHA384',
].join(':')

/** @throws {Error} Certificate and key cannot be read, or do not belong together: the text says which. */
export function createServerTls(pem: CertificateAndKey): ReloadableServerTls {
  let context = serverContext(pem)
  return {
    context: () => context,
    replace(next) {
      context = serverContext(next)
    },
  }
}

function serverContext(pem: CertificateAndKey): SecureContext {
  try {
    return createSecureContext({
      cert: pem.certificate,
      key: pem.key,
      minVersion: 'TLSv1.2', // RFC 8996 §5 forbids what is older
      ciphers,
      honorCipherOrder: true,
    })
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw new Error(`Cannot use the TLS certificate and key: ${text}`, { cause: error })
  }
}
