/**
 * What the rest of the program asks of DNS. All look-ups go through this: never `getaddrinfo`, which would sit in
 * libuv's pool and hides the AD bit.
 */
export interface Resolver {
  /**
   * Asks for the records of one name and type, CNAMEs followed.
   *
   * @param name A-labels, without a final dot; ASCII case does not matter.
   * @throws {DnsFailure} No answer could be had (SERVFAIL, REFUSED, time-out, network). Always temporary: a failure
   *   is neither a proof that the name is absent nor a pass.
   */
  query<T extends RecordType>(name: string, type: T): Promise<Answer<RecordOf[T]>>
}

export type RecordType = 'A' | 'AAAA' | 'MX' | 'TXT' | 'PTR' | 'CNAME' | 'TLSA' | 'NS' | 'SOA'

export interface MxRecord {
  readonly preference: number
  /** '' for the null MX of RFC 7505. */
  readonly exchange: string
}

export interface TlsaRecord {
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  readonly data: Uint8Array
}

export interface RecordOf {
  A: string
  AAAA: string
  MX: MxRecord
  /** The character-strings of one record joined, one char per octet. */
  TXT: string
  PTR: string
  CNAME: string
  TLSA: TlsaRecord
  NS: string
  SOA: string
}

export interface Answer<R> {
  /** `absent`: the name exists without such a record (NODATA). `no-name`: the name does not exist (NXDOMAIN). */
  readonly status: 'found' | 'absent' | 'no-name'
  readonly records: readonly R[]
  /** Seconds the answer may be kept. */
  readonly ttl: number
  /** The AD bit, believed only from a resolver that is on loopback or marked as validating. */
  readonly authentic: boolean
  /** From the cache, without asking anybody. */
  readonly cached: boolean
}

/** No answer could be had; the operation may be tried again later. */
export class DnsFailure extends Error {
  readonly question: string
  readonly reason: 'servfail' | 'refused' | 'timeout' | 'network' | 'malformed'

  constructor(question: string, reason: DnsFailure['reason'], options?: ErrorOptions) {
    super(`Cannot look up ${question}: ${reason}`, options)
    this.name = 'DnsFailure'
    this.question = question
    this.reason = reason
  }
}
