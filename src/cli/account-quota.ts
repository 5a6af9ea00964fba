import type { Command } from 'commander'
import { formatOctets } from './agent/terminal.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { doorFor, withServer } from './reach.ts'
import { runCommand } from './run-command.ts'

interface ShownQuota {
  readonly address: string
  readonly quotaOctets: number | null
  readonly quotaMessages: number | null
}

export function registerQuota(account: Command): void {
  account
    .command('quota')
    .description('bound what an account may hold')
    .argument('<address>')
    .argument('[size]', 'such as 500M or 2G; none: no bound')
    .option('--messages <count>', 'a number of messages; none: no bound')
    .action((address: string, size: string | undefined, _flags: unknown, command: Command) =>
      runCommand<{ messages?: string }>(command, async ({ flags, answer }) => {
        if (size === undefined && flags.messages === undefined) {
          const remedy = 'Write posthorn account quota ADDRESS 2G, or none instead of a size.'
          throw new CliError(exitCodes.usage, 'Give a size or --messages', remedy, { code: 'usage' })
        }
        const fields = {
          ...(size === undefined ? {} : { octets: parseSize(size) }),
          ...(flags.messages === undefined ? {} : { messages: parseCount(flags.messages) }),
        }
        const path = `/v1/accounts/${encodeURIComponent(address)}/quota`
        const quota = await withServer(flags, (reached) =>
          doorFor(reached, address).call<ShownQuota>('PUT', path, fields),
        )
        answer(quota, `${quota.address} may hold ${quotaText(quota)}.\n`)
      }),
    )
}

function quotaText({ quotaOctets, quotaMessages }: ShownQuota): string {
  const octets = quotaOctets === null ? 'any size' : formatOctets(quotaOctets)
  return `${octets}, ${quotaMessages === null ? 'any number of messages' : `${quotaMessages} messages`}`
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }
const binaryUnits: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** `500M`, `2GB`, `1.5GiB` or octets. @returns Octets; null for `none`. @throws {CliError} */
export function parseSize(text: string): number | null {
  if (text.toLowerCase() === 'none') return null
  const found = /^(\d{1,15}(?:\.\d{1,3})?)\s*(?:([kmgt]?)b?|([kmgt])ib)$/i.exec(text)
  const unit =
    found?.[3] === undefined ? units[found?.[2]?.toLowerCase() ?? ''] : binaryUnits[found[3].toLowerCase()]
  const octets = found === null ? Number.NaN : Math.round(Number(found[1]) * unit!)
  if (Number.isSafeInteger(octets)) return octets
  throw new CliError(exitCodes.usage, `"${text}" is no size`, 'Write 500M, 2G, 1.5GiB, or none.', {
    code: 'usage',
  })
}

function parseCount(text: string): number | null {
  if (text.toLowerCase() === 'none') return null
  if (/^\d{1,12}$/.test(text)) return Number(text)
  throw new CliError(exitCodes.usage, `"${text}" is no number`, 'Write a whole number, or none.', {
    code: 'usage',
  })
}
