/** A signature of the header, made on libuv's pool: an RSA key of 2,048 bits takes a millisecond. */
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { Algorithm } from './algorithm.ts'

/** Makes a key of PKCS #8 PEM. @throws {Error} It is no key of that kind. */
export function readPrivateKey(pem: string, algorithm: Algorithm): KeyObject {
  const key = createPrivateKey(pem)
  const wanted = algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519'
  if (key.asymmetricKeyType !== wanted)
    throw new Error(`Cannot sign with ${algorithm}: the key is ${key.asymmetricKeyType}`)
  return key
}

/** @returns Base64. */
export function signText(text: Buffer, key: KeyObject, algorithm: Algorithm): Promise<string> {
  // RFC 8463 §3: Ed25519 signs the SHA-256 hash, not the text.
  const [digest, octets] =
    algorithm === 'rsa-sha256'
      ? (['sha256', text] as const)
      : ([null, createHash('sha256').update(text).digest()] as const)
  return new Promise((resolve, reject) => {
    sign(digest, octets, key, (error, signature) => {
      if (error) reject(error)
      else resolve(signature.toString('base64'))
    })
  })
}
