import { type Address, parseAddressList } from '../../message/address.ts'
import { AgentError } from './mail-agent.ts'

/**
 * Addresses as a person writes them on the command line: several `--to`, or several with commas in one.
 *
 * @throws {AgentError} `usage` for what is no address.
 */
export function readAddresses(texts: readonly string[]): Address[] {
  return texts.flatMap((text) => {
    const found = parseAddressList(text).filter((one) => one.host !== null)
    const bad = found.length === 0 || found.some((one) => one.mailbox === '' || one.host === '')
    if (bad)
      throw new AgentError('usage', `Cannot read "${text}": expected an address like bob@hamburger.edu`)
    return found
  })
}

export function ownAddress(address: string): Address {
  const at = address.lastIndexOf('@')
  return { name: null, mailbox: address.slice(0, at), host: address.slice(at + 1) }
}
