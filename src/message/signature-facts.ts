/** What a DKIM-Signature field of ours says of itself, for journeys. */
export interface SignatureFacts {
  readonly domain: string
  readonly selector: string
  readonly algorithm: string
}

/** @param field With its name, as it was written by us: tags `a=`, `d=` and `s=`, RFC 6376 §3.5. */
export function signatureFacts(field: string): SignatureFacts {
  const tag = (name: string) => new RegExp(`[:;\\s]${name}=([^;\\s]*)`).exec(field)?.[1] ?? ''
  return { domain: tag('d'), selector: tag('s'), algorithm: tag('a') }
}
