/** RFC 8301 §3.1 and RFC 8463: what signs and is verified. rsa-sha1 is known by name and never passes. */
export type Algorithm = 'rsa-sha256' | 'ed25519-sha256'

export function isAlgorithm(text: string): text is Algorithm {
  return text === 'rsa-sha256' || text === 'ed25519-sha256'
}
