/**
 * Password hashes: argon2id, RFC 9106, kept as PHC strings `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`.
 *
 * The cost is OWASP's first choice for argon2id with one lane: 19 MiB, two passes, about 30 ms of one core.
 */
import { argon2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { systemRandom, type Random } from '../base/random.ts'
import { preparePassword } from './prepare-password.ts'

const derive = promisify(argon2)

const cost = { memoryKiB: 19_456, passes: 2, lanes: 1 }
const saltOctets = 16
const tagOctets = 32

interface PasswordHash {
  readonly memoryKiB: number
  readonly passes: number
  readonly lanes: number
  readonly salt: Uint8Array
  readonly tag: Uint8Array
}

/** Most that a row may cost, so that an imported one cannot stop the server. */
const costMax = { memoryKiB: 262_144, passes: 16, lanes: 8 }

/**
 * Hashes a new password. Who hashes many waits for each: every call takes 19 MiB and a thread.
 *
 * @returns A PHC string for `Account.passwordHash`.
 * @throws {RangeError} The password is empty, longer than 1,024 octets or holds control characters.
 */
export async function hashPassword(password: string, random: Random = systemRandom): Promise<string> {
  const prepared = preparePassword(password)
  if (prepared === null) throw new RangeError('Password is empty, too long or holds control characters')
  const salt = random.bytes(saltOctets)
  const tag = await deriveTag(prepared, { ...cost, salt, tag: new Uint8Array(tagOctets) })
  return formatHash({ ...cost, salt, tag })
}

/** A hash that no password has, and that costs as much to compare as any other. */
export function dummyHash(random: Random): string {
  return formatHash({ ...cost, salt: random.bytes(saltOctets), tag: random.bytes(tagOctets) })
}

/**
 * @param hash A PHC string.
 * @param prepared From `preparePassword`.
 * @throws {RangeError} The row is no argon2id hash, or costs more than we are willing to pay.
 */
export async function isPassword(hash: string, prepared: string): Promise<boolean> {
  const parsed = parseHash(hash)
  if (parsed === null) throw new RangeError('Password hash is not argon2id or costs too much')
  return timingSafeEqual(await deriveTag(prepared, parsed), parsed.tag)
}

function deriveTag(prepared: string, hash: PasswordHash): Promise<Uint8Array> {
  return derive('argon2id', {
    message: Buffer.from(prepared),
    nonce: hash.salt,
    memory: hash.memoryKiB,
    passes: hash.passes,
    parallelism: hash.lanes,
    tagLength: hash.tag.length,
  })
}

function formatHash(hash: PasswordHash): string {
  const { memoryKiB, passes, lanes, salt, tag } = hash
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(tag)}`
}

/** The PHC string format writes base64 without its padding. */
function unpadded(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64').replace(/=+$/, '')
}

const phcPattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

function parseHash(text: string): PasswordHash | null {
  const found = phcPattern.exec(text)
  if (found === null) return null
  const [memoryKiB, passes, lanes] = found.slice(1, 4).map(Number) as [number, number, number]
  if (memoryKiB > costMax.memoryKiB || passes > costMax.passes || lanes > costMax.lanes) return null
  // RFC 9106 §3.1: at least one pass, one lane and 8 KiB a lane.
  if (passes < 1 || lanes < 1 || memoryKiB < 8 * lanes) return null
  const [salt, tag] = found.slice(4).map((part) => Buffer.from(part, 'base64')) as [Buffer, Buffer]
  return { memoryKiB, passes, lanes, salt, tag }
}
