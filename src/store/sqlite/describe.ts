import { makeEnvelope } from '../../message/envelope.ts'
import { parseHeader } from '../../message/header.ts'
import { imapBodyStructure, imapEnvelope } from '../../message/imap-structure.ts'
import type { MessageScan } from '../../message/scan.ts'
import { encodeStructure } from '../../message/stored-structure.ts'
import type { EmailText } from './accept.ts'
import { threadingOf } from './thread.ts'

/** Fields that ENVELOPE shows or threads follow; submission may have put a missing one above the body. */
const tellingFields =
  /^(?:date|subject|from|sender|reply-to|to|cc|bcc|in-reply-to|message-id|references)(?:[ \t]|\r?\n[ \t])*:/im

/** Makes the texts of one item, each once. They are made on the sockets' thread: copying a scan to another costs more. */
export class Describer {
  readonly texts: EmailText[] = []
  readonly #scan: MessageScan
  /** The prefixes they are of; '' for all that tell nothing. */
  readonly #prefixes: string[] = []

  constructor(scan: MessageScan) {
    this.#scan = scan
  }

  /** @returns The index in `texts` for a message with this prefix. */
  textFor(prefix: string): number {
    const telling = tellingFields.test(prefix) ? prefix : ''
    const index = this.#prefixes.indexOf(telling)
    if (index >= 0) return index
    this.#prefixes.push(telling)
    return this.texts.push(this.#describe(telling)) - 1
  }

  #describe(prefix: string): EmailText {
    const first = this.texts[0]
    const envelope =
      prefix === ''
        ? this.#scan.envelope
        : makeEnvelope([...parseHeader(prefix).fields, ...this.#scan.headerFields])
    return {
      envelope: imapEnvelope(envelope),
      bodyStructure: first?.bodyStructure ?? imapBodyStructure(this.#scan.root),
      structure: first?.structure ?? encodeStructure(this.#scan),
      threading: threadingOf(envelope),
    }
  }
}
