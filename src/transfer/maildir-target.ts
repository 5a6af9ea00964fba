/**
 * A Maildir, Maildir++ for all but INBOX. A message's unique name is made of its UID, so one that is there is known; flags
 * it got there since are left alone.
 */
import { existsSync, renameSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addLines, marksFile } from './export-list.ts'
import { ToLf } from './line-ends.ts'
import {
  forwarded,
  formatKeywordFile,
  infoOf,
  letteredKeywords,
  ownName,
  parseKeywordFile,
  uniqueName,
} from './maildir-names.ts'
import { writeMessageFile } from './message-file.ts'
import type { MessageOctets, Target } from './target.ts'
import type { ExportedMailbox, ExportedMessage } from './wire.ts'

const keywordFile = 'dovecot-keywords'

export class MaildirTarget implements Target {
  readonly #root: string
  #folder = ''
  #uidValidity = 0
  #there = new Set<string>()
  #keywordNames: string[] = []

  constructor(root: string) {
    this.#root = root
  }

  async open({ uidValidity }: ExportedMailbox, path: string): Promise<number> {
    this.#folder = join(this.#root, path)
    this.#uidValidity = uidValidity
    for (const below of ['cur', 'new', 'tmp'])
      await mkdir(join(this.#folder, below), { recursive: true, mode: 0o700 })
    // By this Courier and Dovecot know a folder that is no Maildir of its own.
    if (path !== '.') await writeFile(join(this.#folder, 'maildirfolder'), '', { flag: 'a', mode: 0o600 })
    const names = await Promise.all(['cur', 'new'].map((below) => readdir(join(this.#folder, below))))
    this.#there = new Set(names.flat().map(uniqueName))
    this.#keywordNames = parseKeywordFile(
      existsSync(join(this.#folder, keywordFile))
        ? await readFile(join(this.#folder, keywordFile), 'utf8')
        : '',
    )
    return 0
  }

  async add(message: ExportedMessage, octets: MessageOctets): Promise<boolean> {
    const name = ownName(message.internalDate, this.#uidValidity, message.uid)
    if (this.#there.has(name)) return false
    await this.#learnKeywords(message.keywords)
    const tell = message.keywords.filter(
      (keyword) => keyword !== forwarded && !this.#keywordNames.includes(keyword),
    )
    if (tell.length > 0) await addLines(join(this.#folder, marksFile), [{ name, keywords: tell }])
    const temporary = join(this.#folder, 'tmp', name)
    await writeMessageFile(temporary, octets, new ToLf(), message.internalDate)
    renameSync(temporary, join(this.#folder, 'cur', name + infoOf(message, this.#keywordNames)))
    this.#there.add(name)
    return true
  }

  async settle(): Promise<void> {}

  async close(): Promise<void> {}

  async leave(): Promise<void> {}

  /** Before the first file that has a letter for one. */
  async #learnKeywords(keywords: readonly string[]): Promise<void> {
    const fresh = keywords.filter((keyword) => keyword !== forwarded && !this.#keywordNames.includes(keyword))
    const room = letteredKeywords - this.#keywordNames.length
    if (fresh.length === 0 || room <= 0) return
    this.#keywordNames.push(...fresh.slice(0, room))
    const file = join(this.#folder, keywordFile)
    await writeFile(`${file}.new`, formatKeywordFile(this.#keywordNames), { mode: 0o600 })
    await rename(`${file}.new`, file)
  }
}
