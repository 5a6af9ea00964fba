/** For tests: a letter, and a transcript played against the real client. */
import assert from 'node:assert/strict'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { Recorder } from '../../journey/recorder.ts'
import { openSmtpClient, type SmtpClient, type SmtpClientOptions } from './client.ts'
import { createDialler } from './dialler.ts'
import type { OutgoingMessage, SendResult } from './message.ts'
import { scriptedServer } from './scripted-server.ts'

export const dialler = createDialler({ localAddress: null, clock: systemClock })

/** @param text Its lines, ended by LF here and by CRLF on the wire. */
export function message(
  text: string,
  more: Partial<OutgoingMessage> & { to?: string[] } = {},
): OutgoingMessage {
  const { to = ['bob@hamburger.example'], ...rest } = more
  const octets = Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1')
  return {
    reversePath: 'alice@crepes.example',
    recipients: to.map((forwardPath) => ({ forwardPath, orcpt: null, notify: null })),
    octets: octets.length,
    eightBit: false,
    smtpUtf8: false,
    prefix: '',
    body: async (offset, length) => octets.subarray(offset, offset + length),
    envid: null,
    ret: null,
    ...rest,
  }
}

/** Plays a transcript against the real client, and hands its client to `use`. */
export async function talk<T>(
  script: string,
  use: (client: SmtpClient, recorder: Recorder) => Promise<T>,
  options: Partial<SmtpClientOptions> = {},
): Promise<T> {
  const server = await scriptedServer(script)
  const recorder = new Recorder(systemClock)
  try {
    const { address, port } = server.endpoint
    const client = await openSmtpClient({
      target: { hostname: 'mx.hamburger.example', address, port },
      dialler,
      clock: systemClock,
      log: silentLog,
      ehloName: 'crepes.example',
      tls: { mode: 'opportunistic', ca: [] },
      dialect: 'esmtp',
      recorder,
      ...options,
    })
    const result = await use(client, recorder)
    await client.quit()
    assert.deepEqual(await server.problems(), [])
    return result
  } finally {
    server.close()
  }
}

export const sendOne = (mail: OutgoingMessage) => (client: SmtpClient) => client.send(mail)
export const brief = (result: SendResult): Record<string, string> =>
  Object.fromEntries(
    [...result.recipients].map(([path, { kind, stage, status }]) => [path, `${kind} ${stage} ${status}`]),
  )
