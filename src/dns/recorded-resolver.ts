import type { Json } from '../journey/event.ts'
import type { Recorder } from '../journey/recorder.ts'
import type { RecordOf, RecordType, Resolver } from './resolver.ts'
import { DnsFailure } from './resolver.ts'

/** Octets of TXT and records of one answer that a journey keeps; the rest is counted only. */
const keptChars = 1_000
const keptRecords = 50

/** Asks another resolver, and writes each question and answer into a journey. */
export function recordedResolver(resolver: Resolver, recorder: Recorder): Resolver {
  return {
    async query(name, type) {
      recorder.event('looked-up', 'dns.ask', { name, type })
      try {
        const answer = await resolver.query(name, type)
        recorder.event('looked-up', 'dns.answer', {
          name,
          type,
          status: answer.status,
          records: answer.records.slice(0, keptRecords).map((record) => toJson(record)),
          count: answer.records.length,
          ttl: answer.ttl,
          authentic: answer.authentic,
          cached: answer.cached,
        })
        return answer
      } catch (error) {
        const reason = error instanceof DnsFailure ? error.reason : 'network'
        recorder.event('looked-up', 'dns.answer', { name, type, status: 'failed', reason })
        throw error
      }
    },
  }
}

function toJson(record: RecordOf[RecordType]): Json {
  if (typeof record === 'string') return record.slice(0, keptChars)
  if ('exchange' in record) return { preference: record.preference, exchange: record.exchange }
  const { usage, selector, matchingType, data } = record
  return { usage, selector, matchingType, data: Buffer.from(data).toString('hex').slice(0, keptChars) }
}
