import type { RecordOf, RecordType } from './resolver.ts'

/** What one name has, by type, as tests and the Lab write it down. Names without a final dot; null MX: exchange ''. */
export type NameRecords = { readonly [T in RecordType]?: readonly RecordOf[T][] }

/** The types we ask for; anything else in an answer is passed over. */
export const recordTypes: readonly RecordType[] = [
  'A',
  'AAAA',
  'MX',
  'TXT',
  'PTR',
  'CNAME',
  'TLSA',
  'NS',
  'SOA',
]

/** RFC 1034 §3.6.2 sets no bound on aliases of aliases; a loop must end somewhere. */
export const cnameChainMax = 8
