/** Debian's Exim, unpacked and never installed, on a loopback port of its own. */
import {
  chmodSync,
  chownSync,
  copyFileSync,
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

export interface Exim {
  readonly port: number
  /** Everything it has logged. */
  log(): string
  /** Letters delivered to bob@exim.example and δοκιμή@exim.example, as octets. */
  maildir(account: string): string[]
}

export interface EximOnward {
  readonly domain: string
  readonly port: number
  readonly protocol?: 'smtp' | 'lmtp'
}

/** Whom Exim runs as: us, or with root a user of every Debian system. */
const ownerId = process.getuid?.() === 0 ? 9 : (process.getuid?.() ?? 9)

/**
 * Takes mail for exim.example into Maildirs, and sends mail for the given domains to ports.
 *
 * @returns Null when the test has been skipped.
 */
export async function startExim(t: TestContext, onward: readonly EximOnward[]): Promise<Exim | null> {
  const root = await unpackServer('exim', ['exim4-daemon-light', 'libnss-wrapper'], t)
  if (root === null) return null
  const folder = temporaryFolder(t)
  chmodSync(folder, 0o755)
  const port = await freePort()
  for (const name of ['spool', 'mail', 'logs']) {
    mkdirSync(join(folder, name))
    chownSync(join(folder, name), ownerId, ownerId)
  }
  writeCertificate(folder)
  // A copy has no setuid bit: nobody needs root, and the loader would drop LD_PRELOAD.
  const program = join(folder, 'exim')
  copyFileSync(join(root, 'usr/sbin/exim4'), program)
  chmodSync(program, 0o755)
  const config = join(folder, 'exim.conf')
  writeFileSync(config, configuration({ program, folder, port, onward }))
  const env = { ...unpackedEnvironment(root), ...wrappedUsers(root, folder) }
  const demote = ['--reuid', String(ownerId), '--regid', String(ownerId), '--clear-groups', program]
  const [command, ...args] = process.getuid?.() === 0 ? ['setpriv', ...demote] : [program]
  startProcess(t, command!, [...args, '-C', config, '-bdf', '-q1s'], { env })
  const logFile = join(folder, 'logs', 'main')
  const log = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '')
  try {
    await waitForPort(port)
  } catch (error) {
    throw new Error(`Exim did not start:\n${log()}`, { cause: error })
  }
  return {
    port,
    log,
    maildir(account) {
      const arrived = join(folder, 'mail', account, 'new')
      if (!existsSync(arrived)) return []
      return readdirSync(arrived).map((name) => readFileSync(join(arrived, name), 'latin1'))
    },
  }
}

/** Exim's user is compiled in, and no user is made for a test: nss_wrapper shows it lists of its own. */
function wrappedUsers(root: string, folder: string): Record<string, string> {
  const [passwd, group] = [join(folder, 'passwd'), join(folder, 'group')]
  const users = [`root:x:0:0::/:/bin/sh`, `Debian-exim:x:${ownerId}:${ownerId}::/:/bin/sh`]
  writeFileSync(passwd, `${users.join('\n')}\n`)
  writeFileSync(group, `root:x:0:\nDebian-exim:x:${ownerId}:\nmail:x:8:\n`)
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  return {
    LD_PRELOAD: join(root, 'usr/lib', triplet, 'libnss_wrapper.so'),
    NSS_WRAPPER_PASSWD: passwd,
    NSS_WRAPPER_GROUP: group,
  }
}

function writeCertificate(folder: string): void {
  const { certificate, key } = makeSelfSigned(
    { hostnames: ['mx.exim.example'] },
    { nowMs: systemClock.now(), random: systemRandom },
  )
  writeFileSync(join(folder, 'cert.pem'), certificate)
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 })
  chownSync(join(folder, 'key.pem'), ownerId, ownerId)
}

function configuration(given: {
  readonly program: string
  readonly folder: string
  readonly port: number
  readonly onward: readonly EximOnward[]
}): string {
  const { program, folder, port, onward } = given
  const routers = onward.map(
    ({ domain }, n) =>
      `onward${n}:\n driver = manualroute\n domains = ${domain}\n route_list = * 127.0.0.1\n` +
      ` self = send\n transport = onward${n}\n`,
  )
  const transports = onward.map(
    ({ port: to, protocol = 'smtp' }, n) =>
      `onward${n}:\n driver = smtp\n port = ${to}\n protocol = ${protocol}\n allow_localhost\n` +
      ` hosts_try_prdr = *\n hosts_try_chunking = *\n utf8_downconvert = 0\n`,
  )
  return `
exim_path = ${program}
exim_user = ${ownerId}
exim_group = ${ownerId}
never_users =
deliver_drop_privilege
keep_environment = LD_LIBRARY_PATH : LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
primary_hostname = mx.exim.example
spool_directory = ${folder}/spool
log_file_path = ${folder}/logs/%s
log_selector = +all
pid_file_path = ${folder}/spool/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
tls_advertise_hosts = *
tls_certificate = ${folder}/cert.pem
tls_privatekey = ${folder}/key.pem
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
chunking_advertise_hosts = *
prdr_enable
accept_8bitmime
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = check_rcpt
acl_smtp_data = accept

begin acl
check_rcpt:
  require verify = recipient
  accept

begin routers
home:
 driver = accept
 domains = exim.example
 local_parts = bob : δοκιμή
 transport = home
${routers.join('')}
begin transports
home:
 driver = appendfile
 directory = ${folder}/mail/$local_part_data
 maildir_format
 return_path_add
${transports.join('')}
begin retry
* * F,1h,1s
`
}
