/**
 * The sendmail command: reads a message from standard input and hands it to the server of this machine, or, when none runs,
 * files and queues it itself. Its exit codes are those of sysexits.h, which programs that call sendmail know.
 */
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { AdminDoor } from '../admin-door.ts'
import { CliError } from '../cli-error.ts'
import { findConfigFile, type ReachOptions, withServer } from '../reach.ts'
import { complain } from '../run-command.ts'
import { printableLine } from '../agent/terminal.ts'
import { readSendmailArguments, type SendmailCall, SendmailUsage } from './arguments.ts'
import { SendmailInput } from './read-message.ts'

/** sysexits.h */
export const sysexits = {
  ok: 0,
  usage: 64,
  dataError: 65,
  noUser: 67,
  unavailable: 69,
  tempFail: 75,
  noPermission: 77,
  config: 78,
} as const

/** Where a server's configuration is when the command is called from anywhere. */
export const systemConfigFile = '/etc/posthorn/posthorn.toml'

/** Octets of one request. */
const pieceOctets = 262_144

interface HandedIn {
  readonly messageId: string
  readonly recipients: readonly string[]
  readonly refused: readonly { readonly recipient: string; readonly text: string }[]
}

/**
 * @param args After the word sendmail.
 * @param where What was said before it: `--config FILE`.
 * @returns The exit code; 'queue' when it is the queue that is asked for.
 */
export async function runSendmail(args: readonly string[], where: ReachOptions): Promise<number | 'queue'> {
  try {
    const request = readSendmailArguments(args)
    if (request.kind === 'queue') return 'queue'
    if (request.kind === 'nothing') return sysexits.ok
    if (request.recipients.length === 0 && !request.fromHeader)
      throw new SendmailUsage('Nobody is named to send it to; -t takes them from To, Cc and Bcc')
    return await send(request, where)
  } catch (error) {
    return failed(error)
  }
}

async function send(call: SendmailCall, where: ReachOptions): Promise<number> {
  // Before root becomes somebody else.
  const user = caller()
  const options = { ...whichServer(where), asOwner: true }
  return withServer(options, async ({ doors }) => {
    const door = doorOf(doors, call.sender)
    const { letterId } = await door.call<{ letterId: string }>('POST', '/v1/letters')
    const path = `/v1/letters/${letterId}`
    const input = new SendmailInput(call.dotsAreText)
    try {
      for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
        await give(door, path, input.push(chunk))
        if (input.ended) break
      }
      await give(door, path, input.finish())
      const { kind: _kind, dotsAreText: _dots, ...order } = call
      const handedIn = await door.call<HandedIn>('POST', `${path}/finish`, {
        ...{ ...order, sender: call.sender ?? user, client: `sendmail, ${user}` },
      })
      for (const { recipient, text } of handedIn.refused) say(`${recipient}: ${text}`)
      return handedIn.refused.length > 0 ? sysexits.noUser : sysexits.ok
    } catch (error) {
      await door.call('DELETE', path).catch(() => {})
      throw error
    }
  })
}

/** Programs call us from anywhere. */
function whichServer(where: ReachOptions): ReachOptions {
  const named = where.config !== undefined || where.lab === true || findConfigFile(where) !== null
  return named || !existsSync(systemConfigFile) ? where : { config: systemConfigFile }
}

/** The Lab has two servers; what has no domain goes to the first. */
function doorOf(doors: readonly AdminDoor[], sender: string | null): AdminDoor {
  const domain = sender?.slice(sender.lastIndexOf('@') + 1).toLowerCase()
  return doors.find(({ name }) => name === domain) ?? doors[0]!
}

async function give(door: AdminDoor, path: string, octets: Uint8Array): Promise<void> {
  for (let from = 0; from < octets.length; from += pieceOctets) {
    const piece = octets.subarray(from, from + pieceOctets)
    await door.call('POST', `${path}/pieces`, Buffer.from(piece).toString('latin1'))
  }
}

function caller(): string {
  try {
    return userInfo().username
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`
  }
}

/** By the codes of the admin API; of what is not here the API has decided whether it may work later. */
const exitByCode: Readonly<Record<string, number>> = {
  'bad-sender': sysexits.usage,
  'bad-recipient': sysexits.dataError,
  'no-recipients': sysexits.usage,
  'bad-field': sysexits.usage,
  'bad-message': sysexits.dataError,
  'too-long': sysexits.dataError,
  'too-many': sysexits.dataError,
  'bad-config': sysexits.config,
  'no-server': sysexits.unavailable,
}

function failed(error: unknown): number {
  if (error instanceof SendmailUsage) {
    say(error.message)
    return sysexits.usage
  }
  const code = complain(error, false)
  if (error instanceof CliError) {
    const known = exitByCode[error.code]
    if (known !== undefined) return known
    // 4: the socket belongs to another user.
    return code === 4 ? sysexits.noPermission : sysexits.tempFail
  }
  if (error instanceof Error && error.name === 'ConfigError') return sysexits.config
  // An unknown failure is temporary: whoever called may try again, and nothing was sent.
  return sysexits.tempFail
}

function say(text: string): void {
  process.stderr.write(`sendmail: ${printableLine(text)}\n`)
}
