/** A client as the door describes it, and the world of a filter, for tests. */
import { parseHeader } from '../../message/header.ts'
import { connect } from 'node:net'
import { once } from 'node:events'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import type { EventData } from '../../journey/event.ts'
import type { FilterClient, FilterSession, SmtpFilter } from './filter.ts'
import { createReach, type FilterSurroundings } from './reach.ts'

export interface TestClient extends FilterClient {
  readonly events: EventData[]
}

export function testClient(changes: Partial<FilterClient> = {}): TestClient {
  const events: EventData[] = []
  return {
    role: 'mx',
    hostname: 'mx.posthorn.example',
    remoteAddress: '192.0.2.7',
    remotePort: 4025,
    localAddress: '198.51.100.1',
    localPort: 25,
    trusted: false,
    clientName: 'client.example',
    extended: true,
    tls: null,
    account: null,
    waitingOctets: 0,
    ...changes,
    events,
    record: (kind, data) => void events.push({ kind, ...data }),
  }
}

/** Reaches whatever the machine reaches; names have the one address. */
export function testSurroundings(changes: Partial<FilterSurroundings> = {}): FilterSurroundings {
  return {
    reach: createReach(
      async ({ address, port }) => {
        const socket = connect({ host: address, port, noDelay: true })
        await once(socket, 'connect')
        return socket
      },
      async () => ['127.0.0.1'],
      systemClock,
    ),
    clock: systemClock,
    log: silentLog,
    authorities: [],
    clientName: async () => 'mail.client.example',
    ...changes,
  }
}

/** A filter that has something to say about this client. */
export function openSession(filter: SmtpFilter, client: FilterClient): FilterSession {
  const session = filter.open(client)
  if (session === null) throw new Error('The filter has nothing to say')
  return session
}

/** Hands over a message in pieces of a size and asks what is to become of it. */
export async function sendMessage(session: FilterSession, text: string, pieceOctets = 4_096) {
  const octets = Buffer.from(text, 'latin1')
  const piece = Buffer.alloc(pieceOctets)
  for (let at = 0; at < octets.length; at += pieceOctets) {
    const length = octets.copy(piece, 0, at, at + pieceOctets)
    await session.octets?.(piece.subarray(0, length))
    // As the door says: the buffer is used again.
    piece.fill(0x58)
  }
  return session.end!({
    journeyId: 'journey1',
    reversePath: 'ada@client.example',
    recipients: ['bob@posthorn.example'],
    octets: octets.length,
    headerFields: parseHeader(text).fields,
  })
}
