/** Finds out what a path holds. */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { emlFileSource, emlSource } from './eml-source.ts'
import { readExportList } from './export-list.ts'
import { maildirSource } from './maildir-source.ts'
import { findMboxes, isMbox, mailboxOfFile, mboxSource } from './mbox-source.ts'
import { BadSource, type Source } from './source.ts'

/** `mbox` is mboxrd; see `Quoting`. */
export const importFormats = ['auto', 'mbox', 'mboxo', 'maildir', 'eml'] as const
export type ImportFormat = (typeof importFormats)[number]

/** @throws {BadSource} There is nothing of that format. */
export async function openSource(path: string, format: ImportFormat): Promise<Source> {
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new BadSource(
      `Cannot read ${path}: ${error.message}`,
      'Look at the path and its rights.',
      error.code === 'ENOENT',
    )
  })
  return facts.isDirectory() ? openFolder(path, format) : openFile(path, format, facts.size)
}

async function openFile(path: string, format: ImportFormat, octets: number): Promise<Source> {
  // Who says it is an mbox, by its name too, need not have one without damage.
  const named = format === 'mbox' || format === 'mboxo' || path.endsWith('.mbox')
  const looksLikeMbox = await isMbox(path, named)
  if (format === 'maildir')
    throw new BadSource(`${path} is a file, no Maildir`, 'Name the folder that has cur/ and new/ in it.')
  const asMbox =
    format === 'mbox' || format === 'mboxo' || (format === 'auto' && (looksLikeMbox || octets === 0))
  if (!asMbox) return emlFileSource(path, basename(path))
  if (!looksLikeMbox && octets > 0) {
    throw new BadSource(
      `${path} does not begin as an mbox does`,
      'An mbox begins with “From ”, a name and a date.',
    )
  }
  const file = { path, unit: basename(path), mailbox: mailboxOfFile(path), octets }
  return mboxSource([file], format === 'mboxo' ? 'mboxo' : 'mboxrd')
}

async function openFolder(path: string, format: ImportFormat): Promise<Source> {
  const found = await readExportList(path, 'read')
  // The list of another format's export means nothing here.
  const wanted = format === 'mboxo' ? 'mbox' : format
  const list = found !== null && (wanted === 'auto' || found.head.format === wanted) ? found : null
  const kind = wanted === 'auto' ? (list?.head.format ?? 'auto') : wanted
  if (kind === 'maildir' || kind === 'auto') {
    const source = await maildirSource(path, list)
    if (source !== null) return source
  }
  const mboxes = kind === 'mbox' || kind === 'auto' ? await findMboxes(path, list) : []
  const eml = kind === 'eml' || kind === 'auto' ? await emlSource(path, list) : null
  if (mboxes.length > 0 && eml !== null) {
    throw new BadSource(
      `${path} holds mboxes and .eml files`,
      'Say which is meant: --format mbox or --format eml.',
    )
  }
  if (eml !== null) return eml
  if (mboxes.length > 0) return mboxSource(mboxes, format === 'mboxo' ? 'mboxo' : 'mboxrd')
  const what = { auto: 'mail', mbox: 'mbox', maildir: 'Maildir', eml: '.eml file' }[kind]
  throw new BadSource(
    `There is no ${what} in ${path}`,
    'Look at the path, or say what it is with --format.',
    true,
  )
}
