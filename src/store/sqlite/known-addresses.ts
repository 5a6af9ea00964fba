import type { AddressMeaning } from '../accounts.ts'
import type { CallOf, OperationName, ResultOf } from './operations.ts'
import type { Lane } from './protocol.ts'
import type { AccountReader } from './read-accounts.ts'
import type { WriterClient } from './writer-client.ts'

/**
 * What addresses lead to, remembered until a name is changed: one process owns the data folder, so every change of domains,
 * accounts and aliases is asked of its writer, by `change`.
 *
 * Not remembered is what is unknown, so that those who guess drive out nobody, and an account that is bounded, since what
 * it holds changes with every message.
 */
export class KnownAddresses {
  readonly #accounts: Pick<AccountReader, 'resolve'>
  readonly #writer: Pick<WriterClient, 'ask' | 'noteReading'>
  readonly #max: number
  readonly #meanings = new Map<string, AddressMeaning>()

  /** @param max Addresses at most; past it the one that was learnt first is forgotten. */
  constructor(
    accounts: Pick<AccountReader, 'resolve'>,
    writer: Pick<WriterClient, 'ask' | 'noteReading'>,
    max: number,
  ) {
    this.#accounts = accounts
    this.#writer = writer
    this.#max = max
  }

  /** Of an account without a bound, what it holds may be as it was once. */
  resolve(address: string): AddressMeaning {
    const known = this.#meanings.get(address)
    if (known !== undefined) return known
    const meaning = this.#accounts.resolve(address)
    if (isLasting(meaning)) this.#remember(address, meaning)
    // What a bounded account holds is asked before each message to it.
    else if (meaning.kind === 'account') this.#writer.noteReading()
    return meaning
  }

  /** Asks for a change of names; once it is answered, they lead where they lead now. */
  async change<Name extends OperationName>(
    name: Name,
    call: CallOf<Name>,
    lane?: Lane,
  ): Promise<ResultOf<Name>> {
    try {
      return await this.#writer.ask(name, call, lane)
    } finally {
      this.#meanings.clear()
    }
  }

  #remember(address: string, meaning: AddressMeaning): void {
    this.#meanings.set(address, meaning)
    if (this.#meanings.size <= this.#max) return
    for (const first of this.#meanings.keys()) {
      this.#meanings.delete(first)
      break
    }
  }
}

function isLasting(meaning: AddressMeaning): boolean {
  if (meaning.kind !== 'account') return meaning.kind !== 'unknown'
  const { quotaOctets, quotaMessages } = meaning.account
  return quotaOctets === null && quotaMessages === null
}
