/** RFC 8301 §3.1 and RFC 8463: what signs and is verified. rsa-sha1 is known and never passes. */
export type Algorithm = 'rsa-sha256' | 'ed25519-sha256'
