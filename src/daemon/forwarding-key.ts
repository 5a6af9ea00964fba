import { link, open, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Random } from '../base/random.ts'

/** In the data folder; part of a backup. Without the one that made it, no rewritten address is known any more. */
export const forwardingKeyFile = 'forwarding.key'
const keyOctets = 32

/** Reads the key, once, when it is first asked for; makes it when there is none. */
export function keepForwardingKey(folder: string, random: Random): () => Promise<Uint8Array> {
  let kept: Promise<Uint8Array> | null = null
  return () => {
    kept ??= readOrMake(join(folder, forwardingKeyFile), random).catch((error: unknown) => {
      kept = null
      throw error
    })
    return kept
  }
}

async function readOrMake(file: string, random: Random): Promise<Uint8Array> {
  const kept = await read(file)
  if (kept !== null) return kept
  const part = `${file}.${Buffer.from(random.bytes(6)).toString('hex')}.part`
  try {
    const handle = await open(part, 'wx', 0o600)
    try {
      await handle.writeFile(`${Buffer.from(random.bytes(keyOctets)).toString('hex')}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // Not rename: another door may have made one meanwhile, and what it wrote must be found again.
    await link(part, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await syncFolder(dirname(file))
  } finally {
    await rm(part, { force: true })
  }
  return (await read(file))!
}

/** Null: there is none. */
async function read(file: string): Promise<Uint8Array | null> {
  const text = await readFile(file, 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  const key = Buffer.from(text.trim(), 'hex')
  // A damaged file: a new key would silently forget all addresses that are under way.
  if (key.length !== keyOctets)
    throw new Error(`${file} is no key: remove it, and bounces of forwarded mail that is under way are lost`)
  return key
}

/** Before an address is written with it, its name is on the disk too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
