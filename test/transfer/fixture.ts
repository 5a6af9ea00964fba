/** A store with the admin API on it, for the tests of import and export. */
import type { TestContext } from 'node:test'
import { join } from 'node:path'
import { createAdminApp } from '../../src/admin/create-admin-app.ts'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { AdminDoor, directTransport } from '../../src/cli/admin-door.ts'
import type { JourneyEntry } from '../../src/journey/event.ts'
import { MessageScanner } from '../../src/message/scan.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { temporaryFolder } from '../harness/temp.ts'
import { ImportJournal, type Skipped } from '../../src/transfer/import-journal.ts'
import { type ImportFormat, openSource } from '../../src/transfer/open-source.ts'
import { ProgressMeter } from '../../src/transfer/progress.ts'
import { runExport } from '../../src/transfer/run-export.ts'
import { ImportRun, type TransferDoor } from '../../src/transfer/run-import.ts'
import type { TransferFormat } from '../../src/transfer/source.ts'
import type { ExportedMailbox, OpenedImport } from '../../src/transfer/wire.ts'

export interface Kept {
  /** One char per octet. */
  readonly text: string
  readonly flags: number
  readonly keywords: readonly string[]
  /** Milliseconds since 1970. */
  readonly date: number
}

/** By mailbox. */
export type Mail = Readonly<Record<string, readonly Kept[]>>

export async function setUpTransfer(t: TestContext, limits: Partial<Limits> = {}) {
  const folder = temporaryFolder(t)
  const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
  const allLimits = { ...defaultLimits, ...limits }
  const store = await openStore({ folder: join(folder, 'data'), limits: allLimits, surroundings })
  t.after(() => store.close())
  const journeys: JourneyEntry[] = []
  const app = createAdminApp({
    ...{ store, journeys: null, queue: null, status: null, stop: null },
    ...{ clock: systemClock, log: silentLog },
    hashPassword: async () => '',
    transfer: { limits: allLimits, random: systemRandom, journeys: { append: (one) => journeys.push(one) } },
    domainsChanged: async () => {},
  })
  await store.addDomain('hamburger.edu')
  let people = 0
  const newAccount = () => store.addAccount(`p${++people}@hamburger.edu`, null)
  return { folder, store, journeys, newAccount, door: new AdminDoor('', false, directTransport(app)) }
}

/** Puts mail into an account. */
export async function fill(store: Store, accountId: number, mail: Mail): Promise<void> {
  for (const [name, messages] of Object.entries(mail)) {
    const found = await store.findMailbox(accountId, name)
    const { mailboxId } = found ?? (await store.createMailbox(accountId, name))
    for (const { text, flags, keywords, date } of messages) {
      const octets = Buffer.from(text, 'latin1')
      const sink = store.openBody()
      await sink.write(octets)
      const scanner = new MessageScanner()
      scanner.push(octets)
      const filing = {
        accountId,
        mailboxId,
        prefix: '',
        flags,
        keywords,
        internalDate: date,
        journeyId: null,
      }
      const body = await sink.finish()
      const [accepted] = await store.accept([{ body, scan: scanner.finish(), filings: [filing], queue: [] }])
      if (accepted instanceof Error) throw accepted
    }
  }
}

/** All mail of an account, mailboxes in the order of their names. */
export async function readAll(store: Store, accountId: number): Promise<Mail> {
  const mail: Record<string, Kept[]> = {}
  const mailboxes = await store.listMailboxes(accountId)
  for (const { mailboxId, name } of mailboxes.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const index = await store.loadIndex(accountId, mailboxId)
    const messages: Kept[] = []
    for (let row = 0; row < index.length; row++) {
      const [email] = await store.getEmails(accountId, [index.emailIds[row]!])
      const body = await store.readBody(email!.body, 0, email!.body.octets)
      messages.push({
        text: email!.prefix + Buffer.from(body).toString('latin1'),
        flags: index.flags[row]!,
        keywords: index.keywordNames.filter((_, bit) => ((index.keywords[row]! >>> bit) & 1) === 1).sort(),
        date: index.internalDates[row]!,
      })
    }
    index.release()
    mail[name] = messages
  }
  return mail
}

export async function importFrom(
  door: TransferDoor,
  address: string,
  path: string,
  options: { format?: ImportFormat; into?: string; journalFile?: string } = {},
) {
  const source = await openSource(path, options.format ?? 'auto')
  const opened = await door.call<OpenedImport>('POST', '/v1/imports', { address, source: path })
  const journal = await ImportJournal.open(options.journalFile ?? `${path}.journal`)
  await journal.start({ posthorn: 'import', version: 1, address, source: path, into: options.into ?? null })
  const skipped: Skipped[] = []
  const meter = new ProgressMeter(source.total.count, () => performance.now())
  const run = new ImportRun({
    ...{ door, source, opened, journal, meter, into: options.into ?? null, seen: false },
    onStep() {},
    onSkipped: (one) => skipped.push(one),
  })
  try {
    return { ...(await run.run()), skipped, opened, meter }
  } finally {
    await journal.close()
  }
}

export async function exportTo(door: TransferDoor, address: string, folder: string, format: TransferFormat) {
  const listed = await door.call<{ accountKey: string; mailboxes: ExportedMailbox[] }>(
    'GET',
    `/v1/exports/${address}`,
  )
  const skipped: string[] = []
  const result = await runExport({
    ...{ door, address, folder, format, ...listed },
    meter: new ProgressMeter(1, () => performance.now()),
    onStep() {},
    onSkipped: (place) => skipped.push(place),
  })
  return { ...result, skipped }
}
