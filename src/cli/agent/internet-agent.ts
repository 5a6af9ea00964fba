/** A `MailAgent` over submission (nodemailer) and IMAP (imapflow): works against any server that has both. */
import { readFileSync } from 'node:fs'
import type { Draft } from '../../message/compose.ts'
import type { ImapFlow } from 'imapflow'
import type { Login } from './logins.ts'
import { AgentError, type ListedMessage, type MailAgent, type MessageKey, type Sent } from './mail-agent.ts'

export interface AgentOptions {
  /** Shows every line of the dialogues, as curl -v does. */
  readonly trace: ((line: string) => void) | null
}

const connectMs = 10_000
const socketMs = 60_000

export function internetAgent(login: Login, options: AgentOptions): MailAgent {
  let imap: Promise<ImapFlow> | null = null
  const opened = (): Promise<ImapFlow> => {
    imap ??= openImap(login, options)
    return imap
  }
  return {
    send: (draft) => submit(login, options, draft),
    keepSent: async (draft) => keepSent(await opened(), draft),
    mailboxes: async () => (await (await opened()).list()).map(({ path }) => path),
    list: async (mailbox, limit) => list(await opened(), mailbox, limit),
    read: async (key, { markSeen }) => read(await opened(), key, markSeen),
    setFlag: async (key, flag) => {
      await inMailbox(await opened(), key, (client) =>
        client.messageFlagsAdd([key.uid], [flag], { uid: true }),
      )
    },
    remove: async (key) => remove(await opened(), key),
    async close() {
      await imap?.then((client) => client.logout()).catch(() => {})
    },
  }
}

function tlsOptions(login: Login): { ca?: Buffer; rejectUnauthorized: boolean } {
  return { rejectUnauthorized: true, ...(login.ca === null ? {} : { ca: readFileSync(login.ca) }) }
}

async function submit(login: Login, options: AgentOptions, draft: Draft): Promise<Sent> {
  // Loaded when it is needed: listing a mailbox should not wait for it.
  const { createTransport } = await import('nodemailer')
  const { composeMessage } = await import('../../message/compose.ts')
  const { trace } = options
  const transport = createTransport({
    host: login.submission.host,
    port: login.submission.port,
    secure: login.submission.tls === 'implicit',
    requireTLS: login.submission.tls === 'starttls',
    ignoreTLS: login.submission.tls === 'none',
    auth: { user: login.address, pass: login.password },
    tls: { ...tlsOptions(login), servername: login.submission.serverName },
    connectionTimeout: connectMs,
    socketTimeout: socketMs,
    ...(trace === null ? {} : { debug: true, logger: traceLogger(trace) }),
  })
  try {
    const info = await transport.sendMail({
      envelope: { from: login.address, to: recipientsOf(draft) },
      // Who got a blind copy stands in the envelope only.
      raw: Buffer.from(await composeMessage({ ...draft, bcc: [] })),
    })
    const refused = (info.rejectedErrors ?? []).map(
      (error: { recipient?: string | undefined; response?: string | undefined }) => ({
        address: error.recipient ?? '',
        reply: error.response ?? '',
      }),
    )
    return { messageId: draft.messageId, reply: info.response, refused }
  } catch (error) {
    throw submissionError(error, login)
  } finally {
    transport.close()
  }
}

function recipientsOf(draft: Draft): string[] {
  return [...draft.to, ...draft.cc, ...draft.bcc].map(({ mailbox, host }) => `${mailbox}@${host}`)
}

function submissionError(error: unknown, login: Login): AgentError {
  const { code, responseCode, response, message } = error as {
    code?: string
    responseCode?: number
    response?: string
    message: string
  }
  const server = `${login.submission.host}:${login.submission.port}`
  if (code === 'EAUTH')
    return new AgentError(
      'auth',
      `${server} refused the log-in of ${login.address}: ${response ?? message}`,
      { cause: error },
    )
  if (responseCode !== undefined && responseCode >= 500) {
    return new AgentError('refused', `${server} refused the message: ${response ?? message}`, {
      cause: error,
    })
  }
  const text =
    responseCode === undefined
      ? `Cannot reach ${server}: ${message}`
      : `${server} says: ${response ?? message}`
  return new AgentError('try-later', `${text}. Nothing was sent; try again later`, { cause: error })
}

function traceLogger(trace: (line: string) => void): Record<string, (...args: unknown[]) => void> {
  const write = (facts: { tnx?: string }, text: string, ...values: unknown[]): void => {
    const side = facts.tnx === 'client' ? 'C: ' : facts.tnx === 'server' ? 'S: ' : '* '
    trace(side + String(values.length > 0 ? values[0] : text).trimEnd())
  }
  const logger = (...args: unknown[]): void =>
    write(args[0] as { tnx?: string }, String(args[1]), ...args.slice(2))
  return {
    level: () => {},
    trace: logger,
    debug: logger,
    info: logger,
    warn: logger,
    error: logger,
    fatal: logger,
  }
}

async function openImap(login: Login, options: AgentOptions): Promise<ImapFlow> {
  const { ImapFlow } = await import('imapflow')
  const { trace } = options
  const line = (entry: { src?: string; msg?: string }): void => {
    if (trace !== null && entry.msg !== undefined && (entry.src === 's' || entry.src === 'c')) {
      trace(`${entry.src === 's' ? 'S' : 'C'}: ${entry.msg}`)
    }
  }
  const client = new ImapFlow({
    host: login.imap.host,
    port: login.imap.port,
    secure: login.imap.tls === 'implicit',
    doSTARTTLS: login.imap.tls === 'starttls',
    servername: login.imap.serverName,
    auth: { user: login.address, pass: login.password },
    tls: tlsOptions(login),
    connectionTimeout: connectMs,
    socketTimeout: socketMs,
    logger: trace === null ? false : { debug: line, info: line, warn: line, error: line, trace: line },
  })
  // Without a listener an error on the idle connection would end the process; each call reports its own.
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    const { authenticationFailed, message } = error as { authenticationFailed?: boolean; message: string }
    const server = `${login.imap.host}:${login.imap.port}`
    if (authenticationFailed === true) {
      throw new AgentError('auth', `${server} refused the log-in of ${login.address}`, { cause: error })
    }
    throw new AgentError('try-later', `Cannot reach ${server}: ${message}`, { cause: error })
  }
}

async function list(client: ImapFlow, mailbox: string, limit: number): Promise<ListedMessage[]> {
  const lock = await lockMailbox(client, mailbox)
  try {
    const box = client.mailbox
    if (box === false || box.exists === 0) return []
    const uidValidity = String(box.uidValidity)
    const range = `${Math.max(1, box.exists - limit + 1)}:*`
    const listed: ListedMessage[] = []
    const query = { uid: true, flags: true, envelope: true, internalDate: true, size: true }
    for await (const message of client.fetch(range, query)) {
      const { envelope, flags } = message
      listed.push({
        mailbox,
        uidValidity,
        uid: message.uid,
        date: Number(new Date(envelope?.date ?? message.internalDate ?? 0)),
        from: names(envelope?.from),
        to: names(envelope?.to),
        subject: envelope?.subject ?? '',
        octets: message.size ?? 0,
        seen: flags?.has('\\Seen') ?? false,
        flagged: flags?.has('\\Flagged') ?? false,
        answered: flags?.has('\\Answered') ?? false,
      })
    }
    return listed.reverse()
  } finally {
    lock.release()
  }
}

function names(
  addresses: readonly { name?: string | undefined; address?: string | undefined }[] | undefined,
): string {
  return (addresses ?? []).map((one) => one.name || one.address || '').join(', ')
}

async function lockMailbox(client: ImapFlow, mailbox: string): Promise<{ release(): void }> {
  try {
    return await client.getMailboxLock(mailbox)
  } catch (error) {
    throw new AgentError(
      'not-found',
      `There is no mailbox ${mailbox}; "posthorn ls --mailboxes" lists them`,
      { cause: error },
    )
  }
}

async function inMailbox<T>(
  client: ImapFlow,
  key: MessageKey,
  work: (client: ImapFlow) => Promise<T>,
): Promise<T> {
  const lock = await lockMailbox(client, key.mailbox)
  try {
    const box = client.mailbox
    if (box === false || String(box.uidValidity) !== key.uidValidity) {
      throw new AgentError('not-found', `${key.mailbox} is not the mailbox it was; list it again`)
    }
    return await work(client)
  } finally {
    lock.release()
  }
}

function read(client: ImapFlow, key: MessageKey, markSeen: boolean): Promise<Uint8Array> {
  return inMailbox(client, key, async () => {
    const found = await client.fetchOne(String(key.uid), { source: true }, { uid: true })
    if (found === false || found.source === undefined) {
      throw new AgentError('not-found', 'This message is not there any more; list the mailbox again')
    }
    if (markSeen) await client.messageFlagsAdd([key.uid], ['\\Seen'], { uid: true })
    return found.source
  })
}

async function keepSent(client: ImapFlow, draft: Draft): Promise<string | null> {
  const sent = (await client.list()).find((box) => box.specialUse === '\\Sent')?.path ?? null
  if (sent === null) return null
  const { composeMessage } = await import('../../message/compose.ts')
  const octets = Buffer.from(await composeMessage(draft))
  const kept = await client.append(sent, octets, ['\\Seen'], new Date(draft.epochMs))
  return kept === false ? null : sent
}

async function remove(client: ImapFlow, key: MessageKey): Promise<string | null> {
  const boxes = await client.list()
  const trash = boxes.find((box) => box.specialUse === '\\Trash')?.path ?? null
  return inMailbox(client, key, async () => {
    const target = trash === null || trash === key.mailbox ? null : trash
    const done =
      target === null
        ? await client.messageDelete([key.uid], { uid: true })
        : await client.messageMove([key.uid], target, { uid: true })
    if (done === false)
      throw new AgentError('not-found', 'This message is not there any more; list the mailbox again')
    return target
  })
}
