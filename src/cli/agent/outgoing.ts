/** From a letter to a sent message: what `send` and `reply` share. */
import { basename } from 'node:path'
import { readFileSync } from 'node:fs'
import { systemClock } from '../../base/clock.ts'
import { systemRandom, timeOrderedId } from '../../base/random.ts'
import type { DraftAttachment, Letter } from '../../message/compose.ts'
import { followMessage } from './follow.ts'
import { exitCodes } from '../cli-error.ts'
import { AgentError, type Sent } from './mail-agent.ts'
import type { AgentFlags, AgentWork } from './run.ts'
import { printableLine, readStdin } from './terminal.ts'

export interface OutgoingFlags extends AgentFlags {
  message?: string
  attach?: string[]
  follow?: boolean
}

/** Octets of one attachment; the server has a bound of its own for the whole. */
const attachmentOctets = 50_000_000

/** `-m TEXT`, or standard input. @throws {AgentError} `usage` when a person would be left to wonder. */
export async function readText(flags: OutgoingFlags): Promise<string> {
  if (flags.message !== undefined) return `${flags.message}\n`
  if (process.stdin.isTTY) process.stderr.write('Write the text; end with Ctrl-D on a line by itself.\n')
  return (await readStdin()).toString('utf8')
}

export function readAttachments(files: readonly string[]): DraftAttachment[] {
  return files.map((file) => {
    let content: Buffer
    try {
      content = readFileSync(file)
    } catch (error) {
      throw new AgentError('usage', `Cannot read the attachment ${file}: ${(error as Error).message}`, {
        cause: error,
      })
    }
    if (content.length > attachmentOctets)
      throw new AgentError('usage', `The attachment ${file} is over 50 MB`)
    return { name: basename(file), type: mediaType(file), content }
  })
}

const mediaTypes: Record<string, string> = {
  txt: 'text/plain',
  html: 'text/html',
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  csv: 'text/csv',
  json: 'application/json',
  zip: 'application/zip',
}

function mediaType(file: string): string {
  return mediaTypes[file.slice(file.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream'
}

export async function sendLetter(work: AgentWork<OutgoingFlags>, letter: Letter): Promise<void> {
  const { agent, login, flags, print } = work
  const now = systemClock.now()
  const host = login.address.slice(login.address.lastIndexOf('@') + 1)
  const draft = {
    ...letter,
    epochMs: now,
    offsetMinutes: -new Date(now).getTimezoneOffset(),
    messageId: `<${timeOrderedId(now, systemRandom)}@${host}>`,
    boundarySeed: timeOrderedId(now, systemRandom),
  }
  const sent = await agent.send(draft)
  if (sent.refused.length > 0) process.exitCode = exitCodes.refused
  if (flags.json === true) print(JSON.stringify({ version: 1, ...sent }))
  else report(sent, login.submission.serverName, print)
  // The letter is on its way: that its copy could not be kept is told, but is no failure.
  await agent.keepSent(draft).catch((error: unknown) => {
    process.stderr.write(`No copy was kept in Sent: ${printableLine((error as Error).message)}\n`)
  })
  if (flags.follow === true) await followMessage(sent.messageId, flags, print)
}

function report(sent: Sent, server: string, print: (line: string) => void): void {
  print(`handed in   ${server}: ${printableLine(sent.reply)}`)
  for (const { address, reply } of sent.refused) print(`refused     ${address}: ${printableLine(reply)}`)
}
