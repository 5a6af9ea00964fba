/** One message of a FETCH that asks for sections: its pieces are settled first, then sent with their exact length. */
import { BodyUnreadable } from '../../../store/errors.ts'
import type { Email } from '../../../store/store.ts'
import { writeFlags, writeItems } from './line.ts'
import type { SectionItem } from './plan.ts'
import type { FetchRun, PageEntry } from './run.ts'
import { cutPieces, MessageSections, type SectionPiece, sizeOf } from './sections.ts'

/** Octets of a body that are read at once. */
const readOctets = 131_072
/** Octets of sections that are written before the client has to take them. */
const octetsPerTurn = 524_288

interface FoundSection {
  readonly item: SectionItem
  /** Null: there is no such part. */
  readonly pieces: readonly SectionPiece[] | null
}

/** The sections of one message, found, and the first octets of the first of them. */
export interface PreparedMessage {
  readonly found: readonly FoundSection[]
  readonly first: Uint8Array
}

/**
 * Finds what will be sent of a message. A body that cannot be read is found out here, before its length has been
 * promised to the client. Null: it cannot be read.
 */
export async function prepareMessage(run: FetchRun, email: Email): Promise<PreparedMessage | null> {
  try {
    const found = await findSections(run, email)
    return { found, first: await readFirst(run, email, found) }
  } catch (error) {
    run.session.options.log.error('message cannot be read', { emailId: email.emailId, error })
    return null
  }
}

/** @param marked This command set \Seen on the message, which the client is told along with it. */
export async function sendMessage(
  run: FetchRun,
  { uid, email }: PageEntry,
  prepared: PreparedMessage | null,
  marked: boolean,
): Promise<void> {
  const { plan, writer, selected } = run
  if (prepared === null) {
    run.outcome.unreadable++
    return
  }
  const row = selected.index.rowOf(uid)
  if (row < 0) {
    run.outcome.missing++
    return
  }
  const number = selected.sequenceNumber(row)
  writeItems(writer, selected, row, number - row - 1, plan.items, email)
  let separator = plan.items.length > plan.sections.length ? ' ' : ''
  if (marked && !plan.items.some((item) => item.kind === 'flags')) {
    writer.short(`${separator}FLAGS `)
    writeFlags(writer, selected, row)
    separator = ' '
  }
  let prefetched: Uint8Array | null = prepared.first
  let octets = 0
  for (const { item, pieces } of prepared.found) {
    writer.short(separator)
    separator = ' '
    writer.text(item.label)
    prefetched = await writeSection(run, email, pieces, prefetched)
    octets += item.label.length + octetsOf(pieces ?? [])
    if (octets < octetsPerTurn) continue
    octets = 0
    await run.pass()
    if (run.session.dialogue.closed) return
  }
  writer.short(')\r\n')
  if (plan.readsText) recordCollected(run, uid, number, email, prepared.found)
}

async function findSections(run: FetchRun, email: Email): Promise<FoundSection[]> {
  const sections = new MessageSections(run.session.options.store, email)
  const found: FoundSection[] = []
  for (const [i, item] of run.plan.sections.entries()) {
    const pieces = await sections.find(item.section)
    // A header may have a quarter of a megabyte, and is read anew for each list of its fields.
    if (i > 0 && item.section.fields.length > 0) await run.session.dialogue.breathe()
    found.push({ item, pieces: pieces === null ? null : cutPieces(pieces, item.partial) })
  }
  return found
}

async function readFirst(run: FetchRun, email: Email, found: readonly FoundSection[]): Promise<Uint8Array> {
  const piece = found.flatMap(({ pieces }) => pieces ?? []).find(({ kind }) => kind === 'body')
  if (piece === undefined || piece.kind === 'text') return new Uint8Array(0)
  return readExactly(run, email, piece.offset, Math.min(piece.octets, readOctets))
}

/**
 * Writes ` {n}` and the octets, or NIL.
 *
 * @param prefetched The beginning of the first body piece to come; null once it has been used.
 * @returns What is left of it.
 */
async function writeSection(
  run: FetchRun,
  email: Email,
  pieces: readonly SectionPiece[] | null,
  prefetched: Uint8Array | null,
): Promise<Uint8Array | null> {
  const { writer } = run
  if (pieces === null) {
    writer.short(' NIL')
    return prefetched
  }
  writer.short(` {${octetsOf(pieces)}}\r\n`)
  let ready = prefetched
  for (const piece of pieces) {
    if (piece.kind === 'text') {
      writer.octets(withoutNul(piece.octets))
      continue
    }
    await writeBody(run, email, piece.offset, piece.octets, ready)
    ready = null
  }
  return ready
}

function octetsOf(pieces: readonly SectionPiece[]): number {
  return pieces.reduce((sum, piece) => sum + sizeOf(piece), 0)
}

async function writeBody(
  run: FetchRun,
  email: Email,
  offset: number,
  octets: number,
  prefetched: Uint8Array | null,
): Promise<void> {
  for (let done = 0; done < octets; ) {
    const wanted = Math.min(octets - done, readOctets)
    const chunk =
      done === 0 && prefetched !== null && prefetched.length === wanted
        ? prefetched
        : await readExactly(run, email, offset + done, wanted)
    run.writer.octets(withoutNul(chunk))
    done += chunk.length
    if (done < octets || octets > readOctets / 2) await run.pass()
    if (run.session.dialogue.closed) return
  }
}

/** @throws {BodyUnreadable} The body is shorter than its row says. */
async function readExactly(run: FetchRun, email: Email, offset: number, octets: number): Promise<Uint8Array> {
  if (octets === 0) return new Uint8Array(0)
  const chunk = await run.session.options.store.readBody(email.body, offset, octets)
  if (chunk.length !== octets) throw new BodyUnreadable('Cannot read body: it is shorter than it should be')
  return chunk
}

/** RFC 3501 §9: a literal holds no NUL. One octet goes for another, so that all lengths stay true. */
function withoutNul(octets: Uint8Array): Uint8Array {
  if (!octets.includes(0)) return octets
  return octets.map((octet) => (octet === 0 ? 0x80 : octet))
}

function recordCollected(
  run: FetchRun,
  uid: number,
  number: number,
  email: Email,
  found: readonly FoundSection[],
): void {
  const { session, selected, context } = run
  if (email.journeyId === null || !session.collections.wants(email.emailId)) return
  const told = found.map(({ item, pieces }) => {
    return pieces === null ? `${item.label} NIL` : `${item.label} {${octetsOf(pieces)}}`
  })
  session.collections.record({
    emailId: email.emailId,
    journeyId: email.journeyId,
    uid,
    mailbox: selected.mailbox,
    client: session.clientName,
    remoteName: session.dialogue.remoteName,
    command: context.wireText,
    response: `* ${number} FETCH (UID ${uid} ${told.join(' ')})`,
  })
}
