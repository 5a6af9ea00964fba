/** Debian's Postfix, unpacked and never installed, on loopback ports of its own. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import { makeSelfSigned } from '../../src/tls/certificate.ts'
import { freePort, waitForPort } from './ports.ts'
import { startProcess } from './process.ts'
import { unpackedEnvironment, unpackServer } from './programs.ts'
import { temporaryFolder } from './temp.ts'

export interface Postfix {
  readonly port: number
  /** Everything it has logged. */
  log(): string
  /** Letters delivered to bob@ (`bob`) or δοκιμή@postfix.example (`greek`), as octets. */
  maildir(account: string): string[]
}

export interface PostfixOnward {
  readonly domain: string
  readonly port: number
  readonly protocol?: 'smtp' | 'lmtp'
}

/** Users of every Debian system; Postfix wants one that nothing else of it uses. */
const mailOwner = 'news'
const setgidGroup = 'uucp'

function idOf(name: string): number {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`))
  return Number(line?.split(':')[2])
}

/**
 * Takes mail for postfix.example into Maildirs, and sends mail for the given domain to a port.
 *
 * @returns Null when the test has been skipped.
 */
export async function startPostfix(t: TestContext, onward: PostfixOnward): Promise<Postfix | null> {
  const root = await unpackServer('postfix', ['postfix'], t)
  if (root === null) return null
  const folder = temporaryFolder(t)
  const port = await freePort()
  const folders = {
    config: join(folder, 'config'),
    queue: join(folder, 'queue'),
    data: join(folder, 'data'),
    mail: join(folder, 'mail'),
  }
  layOut(folder, folders)
  writeMain(root, folder, folders, onward)
  writeFileSync(join(folders.config, 'master.cf'), masterFile(port))
  const environment = { ...unpackedEnvironment(root), MAIL_CONFIG: folders.config }
  startProcess(t, join(root, 'usr/lib/postfix/sbin/master'), ['-c', folders.config, '-d'], {
    env: environment,
  })
  const log = (): string => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '')
  try {
    await waitForPort(port)
  } catch (error) {
    throw new Error(`Postfix did not start:\n${log()}`, { cause: error })
  }
  return {
    port,
    log,
    maildir(account) {
      const arrived = join(folders.mail, account, 'new')
      if (!existsSync(arrived)) return []
      return readdirSync(arrived).map((name) => readFileSync(join(arrived, name), 'latin1'))
    },
  }
}

function layOut(
  folder: string,
  folders: { config: string; queue: string; data: string; mail: string },
): void {
  // The daemons give up root: they must be able to pass through.
  chmodThrough(folder)
  for (const path of Object.values(folders)) mkdirSync(path)
  const owner = idOf(mailOwner)
  chownSync(folders.data, owner, 0)
  chownSync(folders.mail, owner, 0)
  const own = [
    'active',
    'bounce',
    'corrupt',
    'defer',
    'deferred',
    'flush',
    'hold',
    'incoming',
    'private',
    'saved',
    'trace',
    'maildrop',
    'public',
  ]
  for (const name of own) {
    mkdirSync(join(folders.queue, name))
    chownSync(join(folders.queue, name), owner, 0)
  }
  mkdirSync(join(folders.queue, 'pid'))
}

function chmodThrough(folder: string): void {
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o755)
}

function writeMain(
  root: string,
  folder: string,
  folders: { config: string; queue: string; data: string; mail: string },
  onward: PostfixOnward,
): void {
  const { certificate, key } = makeSelfSigned(
    { hostnames: ['mx.postfix.example'] },
    { nowMs: systemClock.now(), random: systemRandom },
  )
  writeFileSync(join(folder, 'cert.pem'), certificate)
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 })
  const owner = idOf(mailOwner)
  const transport =
    onward.protocol === 'lmtp' ? `lmtp:inet:127.0.0.1:${onward.port}` : `smtp:[127.0.0.1]:${onward.port}`
  const settings = {
    compatibility_level: '3.6',
    queue_directory: folders.queue,
    data_directory: folders.data,
    command_directory: join(root, 'usr/sbin'),
    daemon_directory: join(root, 'usr/lib/postfix/sbin'),
    shlib_directory: join(root, 'usr/lib/postfix'),
    meta_directory: join(root, 'etc/postfix'),
    mail_owner: mailOwner,
    setgid_group: setgidGroup,
    // Its daemons find their libraries below the unpacked root.
    import_environment: 'MAIL_CONFIG LD_LIBRARY_PATH PATH TZ LANG=C',
    myhostname: 'mx.postfix.example',
    mydestination: '',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mynetworks: '127.0.0.0/8',
    maillog_file: join(folder, 'log'),
    maillog_file_prefixes: folder,
    virtual_mailbox_domains: 'postfix.example',
    virtual_mailbox_maps: 'inline:{bob@postfix.example=bob/, δοκιμή@postfix.example=greek/}',
    virtual_mailbox_base: folders.mail,
    virtual_uid_maps: `static:${owner}`,
    virtual_gid_maps: `static:${owner}`,
    virtual_minimum_uid: '1',
    smtp_dns_support_level: 'disabled',
    smtp_tls_security_level: 'may',
    smtp_tls_loglevel: '1',
    smtpd_tls_security_level: 'may',
    smtpd_tls_loglevel: '1',
    smtpd_tls_cert_file: join(folder, 'cert.pem'),
    smtpd_tls_key_file: join(folder, 'key.pem'),
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    transport_maps: `inline:{${onward.domain}=${transport}}`,
    minimal_backoff_time: '1s',
    queue_run_delay: '1s',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  writeFileSync(join(folders.config, 'main.cf'), lines.join(''))
}

function masterFile(port: number): string {
  return [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'verify unix - - n - 1 verify',
    'flush unix n - n 1000? 0 flush',
    'proxymap unix - - n - - proxymap',
    'smtp unix - - n - - smtp',
    'relay unix - - n - - smtp',
    'lmtp unix - - n - - lmtp',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'virtual unix - n n - - virtual',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
    '',
  ].join('\n')
}
