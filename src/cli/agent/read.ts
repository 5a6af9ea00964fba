import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { formatAddressList } from '../../message/address.ts'
import { decodeEncodedWords } from '../../message/encoded-word.ts'
import { scanMessage, type MessageScan } from '../../message/scan.ts'
import { attachments, partContent, plainTextOf, type Attachment } from '../../message/text.ts'
import { listedMessage } from './listing.ts'
import { AgentError } from './mail-agent.ts'
import { type AgentFlags, withAgent } from './run.ts'
import { formatOctets, printable, printableLine } from './terminal.ts'

interface ReadFlags extends AgentFlags {
  raw?: boolean
  headers?: boolean
  peek?: boolean
  save?: string
}

export function registerRead(program: Command): void {
  program
    .command('read')
    .description('show a message and mark it as seen')
    .argument('<number>', 'number of the last listing')
    .option('--raw', 'the octets as they are')
    .option('--headers', 'the whole header')
    .option('--peek', 'do not mark it as seen')
    .option('--save <folder>', 'write its attachments into a folder')
    .action((number: string, _flags: unknown, command: Command) =>
      withAgent<ReadFlags>(command, async ({ agent, login, flags, print }) => {
        const key = listedMessage(login.address, number)
        const octets = await agent.read(key, { markSeen: flags.peek !== true })
        const scan = scanMessage(octets)
        if (flags.raw === true) process.stdout.write(octets)
        else if (flags.json === true) print(JSON.stringify(toJson(octets, scan)))
        else if (flags.headers === true) print(printable(headerText(octets, scan)))
        else show(octets, scan, print)
        if (flags.save !== undefined) saveAttachments(octets, scan, flags.save, print)
      }),
    )
}

function headerText(octets: Uint8Array, scan: MessageScan): string {
  return Buffer.from(octets.subarray(0, scan.headerOctets)).toString('utf8').trimEnd()
}

function show(octets: Uint8Array, scan: MessageScan, print: (line: string) => void): void {
  const { envelope } = scan
  const shown: [string, string][] = [
    ['From', formatAddressList(envelope.from)],
    ['To', formatAddressList(envelope.to)],
    ['Cc', formatAddressList(envelope.cc)],
    ['Date', envelope.date ?? ''],
    ['Subject', envelope.subject ?? ''],
  ]
  for (const [name, value] of shown) {
    if (value !== '') print(`${name}: ${printableLine(decodeEncodedWords(value))}`)
  }
  print('')
  print(printable(plainTextOf(octets, scan.root)).trimEnd())
  const files = attachments(scan.root)
  if (files.length > 0) print('')
  for (const [index, file] of files.entries()) {
    print(`[${index + 1}] ${nameOf(file, index)}  ${file.type}  ${formatOctets(file.octets)}`)
  }
}

function toJson(octets: Uint8Array, scan: MessageScan): Record<string, unknown> {
  const { date, subject, from, to, cc, messageId } = scan.envelope
  return {
    version: 1,
    date,
    subject: subject === null ? null : decodeEncodedWords(subject),
    from: from.map((one) => `${one.mailbox}@${one.host}`),
    to: to.map((one) => `${one.mailbox}@${one.host}`),
    cc: cc.map((one) => `${one.mailbox}@${one.host}`),
    messageId,
    text: plainTextOf(octets, scan.root),
    attachments: attachments(scan.root).map(({ name, type, octets: size }) => ({ name, type, octets: size })),
  }
}

function nameOf(file: Attachment, index: number): string {
  return printableLine(file.name ?? '') || `attachment-${index + 1}`
}

/** Nothing is overwritten: a name that is taken gets a number. */
function saveAttachments(
  octets: Uint8Array,
  scan: MessageScan,
  folder: string,
  print: (line: string) => void,
): void {
  mkdirSync(folder, { recursive: true })
  for (const [index, file] of attachments(scan.root).entries()) {
    const name = nameOf(file, index).replace(/^\.+/, '_')
    const path = saveAs(folder, name, partContent(octets, file.part))
    print(`saved ${path}`)
  }
}

function saveAs(folder: string, name: string, content: Uint8Array): string {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const path = join(folder, attempt === 0 ? name : `${attempt}-${name}`)
    try {
      writeFileSync(path, content, { flag: 'wx' })
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw new AgentError('try-later', `Cannot write ${path}: ${(error as Error).message}`, { cause: error })
    }
  }
  throw new AgentError('usage', `Cannot save ${name}: ${folder} holds a thousand files of that name`)
}
