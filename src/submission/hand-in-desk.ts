/**
 * The server's side of the sendmail command: a message comes in pieces, and its end says for whom it is. At most
 * `lettersMax` are open at once, and one that nothing is heard of for `patienceMs` is given up: its command has died.
 */
import { timeOrderedId } from '../base/random.ts'
import { type Address, formatAddrSpec, formatAddress, parseAddressList } from '../message/address.ts'
import { formatField } from '../message/fields.ts'
import { fieldText, headerValues } from '../message/header.ts'
import type { MessageScan } from '../message/scan.ts'
import { normaliseAddress, normaliseDomain } from '../store/address.ts'
import { type HandedIn, HandIn, type HandInWorld } from './hand-in.ts'

const lettersMax = 50
const patienceMs = 10 * 60_000

/** What the command's arguments say. Addresses without a domain belong to the server's first one. */
export interface HandInOrder {
  /** As written; '' or `<>` is the null reverse-path. */
  readonly sender: string
  /** For a From field that is missing; null: none was given. */
  readonly fullName: string | null
  readonly recipients: readonly string[]
  /** Also those that To, Cc and Bcc name. */
  readonly fromHeader: boolean
  readonly notify: string | null
  readonly ret: 'FULL' | 'HDRS' | null
  readonly envid: string | null
  /** For the journey. */
  readonly client: string
}

export type OrderProblem =
  | 'gone'
  | 'busy'
  | 'too-long'
  | 'bad-sender'
  | 'bad-recipient'
  | 'no-recipients'
  | 'too-many'

/** The order cannot be carried out; nothing was kept. */
export class BadOrder extends Error {
  readonly problem: OrderProblem

  constructor(problem: OrderProblem, text: string) {
    super(text)
    this.name = 'BadOrder'
    this.problem = problem
  }
}

interface OpenLetter {
  readonly letter: HandIn
  cancel: () => void
}

export interface HandInDeskOptions extends HandInWorld {
  /** What an address without a domain belongs to. */
  defaultDomain(): string | Promise<string>
}

export class HandInDesk {
  readonly #options: HandInDeskOptions
  readonly #open = new Map<string, OpenLetter>()

  constructor(options: HandInDeskOptions) {
    this.#options = options
  }

  /** @throws {BadOrder} Too many are open. */
  open(): string {
    const { clock, random } = this.#options
    if (this.#open.size >= lettersMax) throw new BadOrder('busy', 'Too many letters are being handed in')
    const id = timeOrderedId(clock.now(), random)
    this.#open.set(id, { letter: new HandIn(this.#options), cancel: this.#giveUpLater(id) })
    return id
  }

  /** @throws {BadOrder} @throws {StoreUnavailable} */
  async push(id: string, octets: Uint8Array): Promise<void> {
    const { letter } = this.#touch(id)
    const { submissionOctets } = this.#options.limits
    if (letter.octets + octets.length > submissionOctets) {
      this.close(id)
      throw new BadOrder('too-long', `The message is over ${submissionOctets} octets`)
    }
    await letter.push(octets)
  }

  /** Whatever comes of it, the letter is over. @throws {BadOrder} @throws {Refusal} @throws {StoreUnavailable} */
  async finish(id: string, order: HandInOrder): Promise<HandedIn> {
    const { letter } = this.#touch(id)
    try {
      return await this.#handOver(letter, order)
    } finally {
      this.close(id)
    }
  }

  close(id: string): void {
    const found = this.#open.get(id)
    this.#open.delete(id)
    found?.cancel()
    found?.letter.abort()
  }

  #touch(id: string): OpenLetter {
    const found = this.#open.get(id)
    if (found === undefined) throw new BadOrder('gone', 'No such letter is being handed in')
    found.cancel()
    found.cancel = this.#giveUpLater(id)
    return found
  }

  #giveUpLater(id: string): () => void {
    return this.#options.clock.after(patienceMs, () => this.close(id))
  }

  async #handOver(letter: HandIn, order: HandInOrder): Promise<HandedIn> {
    const scan = await letter.scan()
    const domain = await this.#options.defaultDomain()
    const reversePath = readSender(order.sender, domain)
    const recipients = readRecipients(order, letter, scan, domain)
    if (recipients.length === 0) throw new BadOrder('no-recipients', 'Nobody is named to send it to')
    const most = this.#options.limits.recipients
    if (recipients.length > most) throw new BadOrder('too-many', `More than ${most} recipients`)
    const { notify, ret, envid, client } = order
    const author = missingAuthor(scan, order, reversePath === '' ? `postmaster@${domain}` : reversePath)
    return letter.finish({ ...{ reversePath, recipients, notify, ret, envid, client }, ...author })
  }
}

/** @throws {BadOrder} */
function readSender(text: string, domain: string): string {
  if (text.trim() === '' || text.trim() === '<>') return ''
  const [address, ...more] = parseAddressList(text)
  const path = address === undefined || more.length > 0 ? null : pathOf(address, domain)
  if (path === null) throw new BadOrder('bad-sender', `"${text}" is not an address that can send`)
  return path
}

/** @throws {BadOrder} */
function readRecipients(order: HandInOrder, letter: HandIn, scan: MessageScan, domain: string): string[] {
  const texts = order.fromHeader ? [...order.recipients, ...named(letter, scan)] : order.recipients
  const recipients = new Set<string>()
  for (const text of texts) {
    for (const address of parseAddressList(text)) {
      // The ends of a group.
      if (address.host === null) continue
      const path = pathOf(address, domain)
      if (path === null) throw new BadOrder('bad-recipient', `"${formatAddrSpec(address)}" is not an address`)
      recipients.add(path)
    }
  }
  return [...recipients]
}

/** RFC 5322 §3.6.6: when it is sent again, those of then do not count any more. */
function named(letter: HandIn, scan: MessageScan): string[] {
  const { bcc, resentBcc } = letter.blindCopies
  const unfold = (values: readonly string[]): string[] => values.map(fieldText)
  const again = [...headerValues(scan, 'Resent-To'), ...headerValues(scan, 'Resent-Cc'), ...unfold(resentBcc)]
  if (again.length > 0) return again
  return [...headerValues(scan, 'To'), ...headerValues(scan, 'Cc'), ...unfold(bcc)]
}

/** The local part as it is written: only who delivers knows whether case matters, RFC 5321 §2.4. */
function pathOf(address: Address, defaultDomain: string): string | null {
  const host = address.host === null || address.host === '' ? defaultDomain : address.host
  const spec = formatAddrSpec({ ...address, host })
  if (normaliseAddress(spec) === null || !/^[^\x00-\x20<>\x7f]+$/.test(spec)) return null
  const at = spec.lastIndexOf('@')
  const domain = normaliseDomain(spec.slice(at + 1)) ?? spec.slice(at + 1).toLowerCase()
  return `${spec.slice(0, at)}@${domain}`
}

/** RFC 6409 §8.1: a message without an author gets the one who hands it in. */
function missingAuthor(
  scan: MessageScan,
  { fullName }: HandInOrder,
  address: string,
): { fields?: readonly string[]; authorDomain?: string } {
  if (scan.headerFields.some(({ name }) => name.toLowerCase() === 'from')) return {}
  const at = address.lastIndexOf('@')
  const [mailbox, host] = [address.slice(0, at), address.slice(at + 1)]
  const bare = mailbox.startsWith('"') ? mailbox.slice(1, -1).replace(/\\(.)/g, '$1') : mailbox
  const text = formatAddress({ name: fullName, mailbox: bare, host })
  return { fields: [formatField('From', text)], authorDomain: normaliseDomain(host) ?? '' }
}
