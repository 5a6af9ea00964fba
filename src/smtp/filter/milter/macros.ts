/** Facts that go before each command, under the names that Sendmail gave them. */
import type { FilterClient } from '../filter.ts'
import type { Agreement } from './negotiate.ts'
import { texts } from './packet.ts'
import type { CommandLetter, MacroStage } from './protocol.ts'

/** Names without braces; null: not known at this time. */
export type Macros = Readonly<Record<string, string | null>>

const usual: Readonly<Record<MacroStage, readonly string[]>> = {
  connect: [
    'j',
    'v',
    '_',
    'daemon_name',
    'daemon_addr',
    'daemon_port',
    'client_addr',
    'client_name',
    'client_port',
  ],
  helo: ['tls_version', 'cipher', 'cipher_bits'],
  mail: ['auth_type', 'auth_authen', 'mail_addr', 'mail_host', 'mail_mailer'],
  rcpt: ['rcpt_addr', 'rcpt_host', 'rcpt_mailer'],
  data: [],
  endOfHeader: [],
  endOfBody: ['i'],
}

export function connectionMacros(client: FilterClient, clientName: string | null): Macros {
  const { tls, account } = client
  const name = clientName ?? 'unknown'
  return {
    j: client.hostname,
    v: 'Posthorn',
    _: `${name} [${client.remoteAddress}]`,
    daemon_name: client.role === 'mx' ? 'smtp' : client.role,
    daemon_addr: client.localAddress,
    daemon_port: String(client.localPort),
    client_addr: client.remoteAddress,
    client_name: name,
    client_port: String(client.remotePort),
    tls_version: tls?.version ?? null,
    cipher: tls?.cipher ?? null,
    cipher_bits: tls === null ? null : cipherBits(tls.cipher),
    // Signers ask only whether there is one; which mechanism it was is not ours to know here.
    auth_type: account === null ? null : 'SASL',
    auth_authen: account?.address ?? null,
  }
}

export function senderMacros(path: string): Macros {
  return { mail_addr: path, mail_host: domainOf(path), mail_mailer: 'smtp' }
}

/** @param known False: we refuse it, and say so in the way Sendmail does. */
export function recipientMacros(path: string, known: boolean): Macros {
  if (!known) return { rcpt_addr: 'No such user here', rcpt_host: '5.1.1', rcpt_mailer: 'error' }
  return { rcpt_addr: path, rcpt_host: domainOf(path), rcpt_mailer: 'local' }
}

/** What the milter chose for the stage, or else the usual; only what is known. @returns The packet's data, or null. */
export function macroData(
  { macros: chosen }: Agreement,
  stage: MacroStage,
  letter: CommandLetter,
  known: Macros,
): string | null {
  const names = chosen.get(stage) ?? usual[stage]
  const found = names.flatMap((name) => {
    const value = known[name]
    return value === null || value === undefined ? [] : [name.length === 1 ? name : `{${name}}`, value]
  })
  return found.length === 0 ? null : letter + texts(...found)
}

function domainOf(path: string): string {
  return path.slice(path.lastIndexOf('@') + 1)
}

/** Of a suite by its name, as TLS 1.2 and 1.3 write it. */
function cipherBits(cipher: string): string | null {
  if (/CHACHA20/.test(cipher)) return '256'
  return /AES_?(128|256)/.exec(cipher)?.[1] ?? null
}
