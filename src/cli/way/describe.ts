/** Says in words what one event of a journey tells. */
import type { EventData, Json, JourneyEvent } from '../../journey/event.ts'
import { formatOctets } from '../agent/terminal.ts'

/** @returns Lines; none for what is shown elsewhere (dialogues) or is only a question. */
export function describeEvent(event: JourneyEvent): string[] {
  const describe = describers[event.kind]
  return describe === undefined
    ? [`${event.kind} ${JSON.stringify(event.data)}`]
    : describe(event.data, event)
}

type Describer = (data: EventData, event: JourneyEvent) => string[]

const describers: { readonly [kind in JourneyEvent['kind']]?: Describer } = {
  'dns.ask': () => [],
  wire: () => [],
  'dns.answer': (data) => [describeAnswer(data)],
  submit: (data) => {
    const octets = typeof data['octets'] === 'number' ? `, ${formatOctets(data['octets'])}` : ''
    // Programs of the machine itself log in nowhere.
    const who = data['login'] === '' ? '' : `${text(data['login'])} from `
    return [`by ${who}${text(data['client'])}${octets}`]
  },
  hold: (data) => [`held until ${time(data['until'])}`],
  'queue.in': (data) => {
    const to = data['domain'] ?? data['recipients']
    const sender = data['reversePath'] === undefined ? [] : [`under ${text(data['reversePath'])}`]
    return [`as ${text(data['queueId'])}${to === undefined ? '' : ` for ${text(to)}`}`, ...sender]
  },
  'attempt.start': (data) => {
    const route = data['route'] === undefined ? '' : ` by the route ${text(data['route'])}`
    return data['attempt'] === 1 && route === '' ? [] : [`attempt ${text(data['attempt'])}${route}`]
  },
  'queue.retry': (data) => [
    `waits after ${text(data['attempts'])} ${data['attempts'] === 1 ? 'attempt' : 'attempts'}: ${text(data['reason'])}; next at ${time(data['nextAttemptAt'])}`,
  ],
  'attempt.end': (data, { branch }) => [
    `${branch === undefined ? '' : `${branch}: `}${text(data['text'])}${data['outcome'] === 'delivered' ? '' : ` (${text(data['outcome'])})`}`,
  ],
  'tcp.open': (data) => [describeConnection(data)],
  'tls.done': (data) => describeTls(data),
  spam: (data, event) => [describeVerdict(data) ?? `${event.kind} ${JSON.stringify(data)}`],
  refuse: (data) => [
    `refused${data['filter'] === undefined ? '' : ` by ${text(data['filter'])}`}: ${text(data['text'] ?? data['reason'] ?? data['code'])}`,
  ],
  'auth.iprev': (data) => [
    `${text(data['address'])} is ${data['name'] === null ? 'without a name' : text(data['name'])}: ${verdict(data)}`,
  ],
  'auth.spf': (data) => [
    `SPF of ${text(data['domain'])} (${data['identity'] === 'helo' ? 'HELO' : 'MAIL'}): ${verdict(data)}${by(data['mechanism'])}`,
    ...published(data),
  ],
  'auth.dkim': (data) =>
    data['result'] === 'none'
      ? ['DKIM: not signed']
      : [
          `DKIM of ${text(data['domain'])}, selector ${text(data['selector'])}: ${verdict(data)}`,
          ...published(data),
        ],
  'auth.arc': (data) => [`ARC, ${text(data['instances'])} sets: ${verdict(data)}`],
  'auth.dmarc': (data) => [
    `DMARC of ${text(data['authorDomain'])}: ${verdict(data)}${by(data['aligned'])}${data['policy'] === null ? '' : `; it asks for ${text(data['policy'])}`}`,
    ...published(data),
  ],
  file: (data, { branch }) => {
    const mailbox =
      data['mailbox'] === undefined ? `mailbox ${text(data['mailboxId'])}` : text(data['mailbox'])
    return [`${branch === undefined ? '' : `${branch}: `}${mailbox}, UID ${text(data['uid'])}`]
  },
  'sign.dkim': (data) => [
    `signed for ${text(data['domain'])} with the key ${text(data['selector'])} (${text(data['algorithm'])})`,
  ],
  dsn: (data) => [
    `a report (${text(data['action'])}) ${data['to'] === undefined ? '' : `to ${text(data['to'])}`}`.trim(),
  ],
  'collect.pop3': (data) => {
    const deed =
      data['deleted'] === true ? (data['retrieved'] === true ? 'fetched and deleted' : 'deleted') : 'fetched'
    return [
      `${deed} by POP3 as message ${text(data['messageNumber'])}, from ${text(data['client'])}${over(data)}`,
    ]
  },
  'collect.imap': (data) => {
    const client = typeof data['client'] === 'string' ? ` with ${data['client']}` : ''
    return [
      `fetched by IMAP from ${text(data['mailbox'])}, UID ${text(data['uid'])}, from ${text(data['remote'])}${client}`,
    ]
  },
}

/** What a filter answered and how long it took; null when it was none. */
function describeVerdict(data: EventData): string | null {
  const { filter, answer, us, score, required, virus, changes } = data
  if (filter === undefined || answer === undefined) return null
  const details = [
    ...(score === undefined ? [] : [`score ${text(score)} of ${text(required)}`]),
    ...(virus === undefined ? [] : [`found ${text(virus)}`]),
    ...(changes === undefined ? [] : [text(changes)]),
    ...(typeof us === 'number' ? [`${(us / 1_000).toFixed(us < 10_000 ? 1 : 0)} ms`] : []),
  ]
  const said = answer === 'failed' ? 'could not be asked, the log says why' : text(answer)
  return `${text(filter)}: ${said}${details.length === 0 ? '' : ` (${details.join(', ')})`}`
}

function verdict(data: EventData): string {
  return `${text(data['result'])}${typeof data['reason'] === 'string' ? `, ${data['reason']}` : ''}`
}

function by(what: Json | undefined): string {
  return what === undefined || what === null || (Array.isArray(what) && what.length === 0)
    ? ''
    : ` by ${text(what)}`
}

/** The record that decided. */
function published(data: EventData): string[] {
  return typeof data['record'] === 'string' ? [`published: ${data['record']}`] : []
}

function text(value: Json | undefined): string {
  if (value === undefined || value === null) return '?'
  return typeof value === 'object'
    ? Array.isArray(value)
      ? value.map(text).join(', ')
      : JSON.stringify(value)
    : String(value)
}

function time(value: Json | undefined): string {
  return typeof value === 'number'
    ? new Date(value).toISOString().slice(0, 19).replace('T', ' ') + ' UTC'
    : '?'
}

function over(data: EventData): string {
  return typeof data['tls'] === 'string' ? ` over ${data['tls']}` : ''
}

/** `MX hamburger.edu → 10 mail.hamburger.edu   kept for 300 s`. */
function describeAnswer(data: EventData): string {
  const question = `${text(data['type'])} ${text(data['name'])}`
  switch (data['status']) {
    case 'failed':
      return `${question} → no answer (${text(data['reason'])})`
    case 'no-name':
      return `${question} → there is no such name`
    case 'absent':
      return `${question} → none`
  }
  const records = Array.isArray(data['records']) ? data['records'].map(describeRecord).join(', ') : ''
  const how = [
    typeof data['ttl'] === 'number' ? `good for ${data['ttl']} s` : null,
    data['cached'] === true ? 'from memory' : null,
    data['authentic'] === true ? 'DNSSEC' : null,
  ].filter((part) => part !== null)
  return `${question} → ${records}${how.length === 0 ? '' : `   (${how.join(', ')})`}`
}

function describeRecord(record: Json): string {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return text(record)
  const { preference, exchange, usage, selector, matchingType } = record as {
    [name: string]: Json | undefined
  }
  if (exchange !== undefined)
    return `${text(preference)} ${exchange === '' ? '. (takes no mail)' : text(exchange)}`
  return `${text(usage)} ${text(selector)} ${text(matchingType)} …`
}

function describeConnection(data: EventData): string {
  const where = `${text(data['hostname'])} at ${text(data['address'])}:${text(data['port'])}`
  if (data['ok'] !== true) return `${where}: no connection (${text(data['code'])})`
  if (data['reused'] === true) return `${where}: on the connection that was open already`
  const remote = text(data['remote'])
  // The Lab's port map: an ordinary user has no right to port 25.
  const mapped = remote.endsWith(`:${text(data['port'])}`) ? '' : `, which is ${remote} here`
  return `${where}${mapped}, from ${text(data['local'])}, ${text(data['ms'])} ms`
}

function describeTls(data: EventData): string[] {
  if (data['ok'] === false) return [`no TLS: ${text(data['reason'])}`]
  const head = `${text(data['version'])}, ${text(data['cipher'])}${data['reused'] === true ? ', as before' : ''}`
  if (data['names'] === undefined) return [head]
  const trust =
    data['trusted'] === true ? 'trusted' : `encrypted, but the name is not proven: ${text(data['reason'])}`
  // Trusted, it is good for the name that was asked for, whatever else it is good for.
  const names = data['trusted'] === true ? data['serverName'] : data['names']
  return [head, `certificate for ${text(names)} from ${text(data['issuer']).replace(/^CN=/, '')}, ${trust}`]
}
