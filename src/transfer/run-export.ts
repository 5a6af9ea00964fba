/**
 * An export from its command's side: asks for page after page, one ahead of what is written, and keeps the list beside what it
 * writes. It writes into a folder that was empty when it began, or goes on in one that its list says is its own.
 */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { EmlTarget } from './eml-target.ts'
import { addLines, type ExportList, type ListHead, listFile, readExportList } from './export-list.ts'
import { MaildirTarget } from './maildir-target.ts'
import { MboxTarget } from './mbox-target.ts'
import type { ProgressMeter } from './progress.ts'
import type { TransferDoor } from './run-import.ts'
import { SafeNames } from './safe-names.ts'
import type { TransferFormat } from './source.ts'
import { ForeignFile, type Target } from './target.ts'
import type { ExportedMailbox, ExportedMessage, ExportedPage } from './wire.ts'

export interface ExportOptions {
  readonly door: TransferDoor
  readonly address: string
  readonly accountKey: string
  readonly mailboxes: readonly ExportedMailbox[]
  readonly folder: string
  readonly format: TransferFormat
  readonly meter: ProgressMeter
  onStep(): void
  /** A message that cannot be read: its body is damaged. */
  onSkipped(place: string, reason: string): void
}

export interface ExportResult {
  readonly written: number
  /** Messages that were there from an earlier run. */
  readonly there: number
  readonly octets: number
  /** Where each mailbox is, relative to the folder. */
  readonly paths: Readonly<Record<string, string>>
}

/** @throws {ForeignFile} */
export async function runExport(options: ExportOptions): Promise<ExportResult> {
  const list = await prepareFolder(options)
  const target = makeTarget(options, list)
  const names = new SafeNames(options.format, list.mailboxes.keys())
  const result = { written: 0, there: 0, octets: 0, paths: {} as Record<string, string> }
  for (const mailbox of options.mailboxes) {
    const { name, uidValidity } = mailbox
    const known = [...list.mailboxes.values()].find(
      (one) => one.mailbox === name && one.uidValidity === uidValidity,
    )
    const path = known?.path ?? names.pathFor(name)
    if (known === undefined) {
      await addLines(join(options.folder, listFile), [{ mailbox: name, path, uidValidity }])
    }
    result.paths[name] = path
    try {
      const after = await target.open(mailbox, path)
      await exportMailbox(options, target, mailbox, after, result)
      await target.close()
    } finally {
      await target.leave()
    }
  }
  return result
}

async function exportMailbox(
  options: ExportOptions,
  target: Target,
  mailbox: ExportedMailbox,
  after: number,
  result: { written: number; there: number; octets: number },
): Promise<void> {
  const { door, address, meter } = options
  const path = `/v1/exports/${encodeURIComponent(address)}/${mailbox.mailboxId}`
  const ask = (uid: number) => door.call<ExportedPage>('GET', `${path}?after=${uid}`)
  let next = ask(after)
  for (;;) {
    const page = await next
    if (page.more) {
      next = ask(page.upTo)
      // It is waited for at the next turn; a failure before is not lost.
      next.catch(() => {})
    }
    for (const message of page.messages) {
      if (message.unreadable) {
        options.onSkipped(`${mailbox.name}, UID ${message.uid}`, 'its body is damaged')
        continue
      }
      const octets =
        message.text === null ? partsOf(door, path, message) : Buffer.from(message.text, 'latin1')
      if (await target.add(message, octets)) result.written++
      else result.there++
      result.octets += message.octets
      meter.step(message.octets, meter.progress.messages + 1)
      options.onStep()
    }
    await target.settle(page.upTo)
    if (!page.more) return
  }
}

/** A large message, asked for piece by piece. */
async function* partsOf(
  door: TransferDoor,
  path: string,
  { uid, octets }: ExportedMessage,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < octets; ) {
    const { text } = await door.call<{ text: string }>('GET', `${path}/${uid}?offset=${offset}`)
    if (text === '') throw new Error(`message ${uid} became shorter`)
    offset += text.length
    yield Buffer.from(text, 'latin1')
  }
}

/** @throws {ForeignFile} There is something that is not ours. */
async function prepareFolder({ folder, format, address, accountKey }: ExportOptions): Promise<ExportList> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const list = await readExportList(folder, 'continue')
  if (list === null) {
    const [first] = (await readdir(folder)).filter((name) => name !== listFile)
    if (first !== undefined) throw new ForeignFile(join(folder, first))
    const head: ListHead = { posthorn: 'export', version: 1, format, address, accountKey }
    await addLines(join(folder, listFile), [head])
    return { head, mailboxes: new Map(), progress: new Map() }
  }
  const { head } = list
  if (head.address !== address || head.accountKey !== accountKey) {
    throw new ForeignFile(folder, `holds an export of another account, ${head.address}`)
  }
  if (head.format !== format) throw new ForeignFile(folder, `holds an export as ${head.format}`)
  return list
}

function makeTarget({ folder, format }: ExportOptions, list: ExportList): Target {
  if (format === 'mbox') return new MboxTarget(folder, list)
  return format === 'maildir' ? new MaildirTarget(folder) : new EmlTarget(folder)
}
