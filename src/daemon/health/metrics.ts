/**
 * What the server counts, and its text in Prometheus' format 0.0.4. To count is to add to a number; label values are
 * fixed when a counter is made, so that nobody outside can make more of them.
 */

export class Counter<Label extends string> {
  readonly #counts: Map<Label, number>

  constructor(labels: readonly Label[]) {
    this.#counts = new Map(labels.map((label) => [label, 0]))
  }

  /** A label that was not named at the beginning counts nothing. */
  add(label: Label, by = 1): void {
    const count = this.#counts.get(label)
    if (count !== undefined) this.#counts.set(label, count + by)
  }

  get values(): ReadonlyMap<Label, number> {
    return this.#counts
  }
}

/** Upper bounds in milliseconds. */
const latencyBounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000] as const

/** How long something took. */
export class Latencies {
  readonly counts = new Array<number>(latencyBounds.length + 1).fill(0)
  sumMs = 0

  add(ms: number): void {
    const found = latencyBounds.findIndex((bound) => ms <= bound)
    this.counts[found < 0 ? latencyBounds.length : found]!++
    this.sumMs += ms
  }
}

const protocols = ['smtp', 'imap', 'pop3', 'jmap', 'admin'] as const

export class Metrics {
  readonly handshakes = new Counter(['full', 'resumed', 'failed'])
  readonly replies = new Counter(['2xx', '3xx', '4xx', '5xx'])
  readonly messages = new Counter(['accepted', 'failed'])
  readonly recipients = new Counter(['delivered', 'failed', 'dropped', 'waiting', 'reporting'])
  readonly loginsRefused = new Counter(protocols)
  readonly commits = new Latencies()
}

/** What is not counted but is so at the moment of asking. */
export interface Gauges {
  /** By door. */
  readonly connections: ReadonlyMap<string, { open: number; accepted: number; turnedAway: number }>
  /** Null: not known. */
  readonly queueEntries: number | null
  readonly queueOldestSeconds: number | null
  readonly searchIndex: { readonly accounts: number; readonly behind: number } | null
  readonly diskFreeOctets: number | null
  readonly loopLagSeconds: number
  readonly ready: boolean
}

/** One metric of the text: name, what it is, and a line for each label set. */
function family(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  lines: [labels: string, value: number][],
) {
  const head = `# HELP posthorn_${name} ${help}\n# TYPE posthorn_${name} ${type}\n`
  return head + lines.map(([labels, value]) => `posthorn_${name}${labels} ${value}\n`).join('')
}

function byLabel(label: string, values: Iterable<readonly [string, number]>): [string, number][] {
  return Array.from(values, ([name, value]) => [`{${label}="${name}"}`, value])
}

function gauge(name: string, help: string, value: number | null): string {
  return value === null ? '' : family(name, 'gauge', help, [['', value]])
}

export function formatMetrics(metrics: Metrics, gauges: Gauges): string {
  const { connections } = gauges
  const doors = (key: 'open' | 'accepted' | 'turnedAway') =>
    byLabel(
      'door',
      Array.from(connections, ([door, facts]) => [door, facts[key]] as const),
    )
  return [
    family('connections', 'gauge', 'Open connections', doors('open')),
    family('connections_accepted_total', 'counter', 'Connections that were served', doors('accepted')),
    family(
      'connections_turned_away_total',
      'counter',
      'Connections over a limit, or banned',
      doors('turnedAway'),
    ),
    family(
      'tls_handshakes_total',
      'counter',
      'TLS handshakes',
      byLabel('outcome', metrics.handshakes.values),
    ),
    family('smtp_replies_total', 'counter', 'SMTP replies', byLabel('class', metrics.replies.values)),
    family(
      'messages_stored_total',
      'counter',
      'Messages taken over by the store',
      byLabel('outcome', metrics.messages.values),
    ),
    family(
      'queue_recipients_total',
      'counter',
      'Ends of delivery attempts',
      byLabel('state', metrics.recipients.values),
    ),
    family(
      'logins_refused_total',
      'counter',
      'Log-ins refused',
      byLabel('protocol', metrics.loginsRefused.values),
    ),
    gauge('queue_entries', 'Messages in the queue', gauges.queueEntries),
    gauge('queue_oldest_seconds', 'Age of the oldest message in the queue', gauges.queueOldestSeconds),
    gauge(
      'search_index_accounts',
      'Accounts that have searched of late',
      gauges.searchIndex?.accounts ?? null,
    ),
    gauge(
      'search_index_behind',
      'Messages still to be put into the index of the search',
      gauges.searchIndex?.behind ?? null,
    ),
    gauge('disk_free_bytes', "Room on the data folder's disk", gauges.diskFreeOctets),
    gauge('event_loop_lag_seconds', 'Longest wait for a turn of late', gauges.loopLagSeconds),
    gauge('ready', '1 when /readyz says 200', gauges.ready ? 1 : 0),
    formatLatencies(
      'store_commit_seconds',
      'From handing a message over to having it on disk',
      metrics.commits,
    ),
  ].join('')
}

function formatLatencies(name: string, help: string, { counts, sumMs }: Latencies): string {
  let below = 0
  const lines = latencyBounds.map((bound, index) => {
    below += counts[index]!
    return `posthorn_${name}_bucket{le="${bound / 1_000}"} ${below}\n`
  })
  const all = below + counts[latencyBounds.length]!
  return (
    `# HELP posthorn_${name} ${help}\n# TYPE posthorn_${name} histogram\n${lines.join('')}` +
    `posthorn_${name}_bucket{le="+Inf"} ${all}\nposthorn_${name}_sum ${sumMs / 1_000}\nposthorn_${name}_count ${all}\n`
  )
}
