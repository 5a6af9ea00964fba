import { type Command, InvalidArgumentError } from 'commander'
import type { CheckedRecord } from '../admin/check-records.ts'
import type { WantedRecord } from '../admin/dns-records.ts'
import type { ShownKey } from '../admin/domain-keys.ts'
import { exitCodes } from './cli-error.ts'
import type { Method } from './admin-door.ts'
import { onlyServer } from './only-server.ts'
import { withServer } from './reach.ts'
import { type GlobalFlags, runCommand } from './run-command.ts'
import { formatTable, type Style } from './terminal.ts'

interface Keys {
  readonly domain: string
  readonly keys: readonly ShownKey[]
}

/** `posthorn domain keys`, `key`, `dns` and `check`. */
export function registerDomainKeys(domain: Command): void {
  domain
    .command('keys')
    .description('show the keys that sign for a domain, and the DNS records they need')
    .argument('<domain>')
    .action((name: string, _flags: unknown, command: Command) => showKeys(command, 'GET', name, '/keys'))
  domain
    .command('dns')
    .description('print all records a domain should have, as lines of a zone file')
    .argument('<domain>')
    .action((name: string, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer }) => {
        const found = await ask<{ records: WantedRecord[] }>(flags, 'GET', name, '/dns')
        answer({ version: 1, ...found }, zoneText(found.records))
      }),
    )
  domain
    .command('check')
    .description('compare these records with what DNS says')
    .argument('<domain>')
    .addHelpText(
      'after',
      '\nExit codes: 0 all that is needed is there, 1 something is missing or differs, 75 DNS does not answer.',
    )
    .action((name: string, _flags: unknown, command: Command) =>
      runCommand(command, async ({ flags, answer, style }) => {
        const checked = await ask<{ sound: boolean; records: CheckedRecord[] }>(flags, 'GET', name, '/check')
        answer({ version: 1, ...checked }, () => checkText(checked.records, style))
        const isCertain = checked.records.some(({ state, needed }) => needed && /missing|differs/.test(state))
        if (!checked.sound) process.exitCode = isCertain ? exitCodes.refused : exitCodes.tryLater
      }),
    )
  registerKey(domain.command('key').description('make, change and remove the keys that sign for a domain'))
}

function registerKey(key: Command): void {
  key
    .command('add')
    .description('make an RSA and an Ed25519 key that sign from now on')
    .argument('<domain>')
    .action((name: string, _flags: unknown, command: Command) => showKeys(command, 'POST', name, '/keys'))
  key
    .command('rotate')
    .description('make new keys to be published now; they sign, and the old ones do not, from --after on')
    .argument('<domain>')
    .option('--after <time>', 'such as 12h or 2d (default: 2d)', readAfter)
    .action((name: string, { after = 2 * 86_400_000 }: { after?: number }, command: Command) =>
      showKeys(command, 'POST', name, '/keys/rotate', { afterMs: after }),
    )
  for (const [verb, method, description] of [
    ['retire', 'POST', 'let a key sign no more; its record should stay for a week'],
    ['remove', 'DELETE', 'forget a key'],
  ] as const) {
    key
      .command(verb)
      .description(description)
      .argument('<domain>')
      .argument('<selector>')
      .action((name: string, selector: string, _flags: unknown, command: Command) =>
        runCommand(command, async ({ flags, answer }) => {
          const path = `/keys/${encodeURIComponent(selector)}${verb === 'retire' ? '/retire' : ''}`
          const done = await ask<{ domain: string; selector: string }>(flags, method, name, path)
          const next = verb === 'retire' ? 'Remove it when what it has signed is read' : 'Its record can go'
          answer(done, `${verb === 'retire' ? 'Retired' : 'Removed'} ${done.selector}. ${next}.\n`)
        }),
      )
  }
}

function ask<T>(flags: GlobalFlags, method: Method, name: string, path: string, body?: object): Promise<T> {
  const whole = `/v1/domains/${encodeURIComponent(name)}${path}`
  return withServer(flags, (reached) => onlyServer(reached).call<T>(method, whole, body))
}

function showKeys(
  command: Command,
  method: Method,
  name: string,
  path: string,
  body?: object,
): Promise<void> {
  return runCommand(command, async ({ flags, answer, style }) => {
    const found = await ask<Keys>(flags, method, name, path, body)
    answer({ version: 1, ...found }, () => keysText(found, style))
  })
}

function keysText({ domain, keys }: Keys, style: Style): string {
  if (keys.length === 0) return `No keys yet. Make some: posthorn domain key add ${domain}\n`
  const rows = keys.map(({ selector, algorithm, state, activeFrom, retiredAt }) => [
    ...[selector, algorithm, state],
    ...[dateText(activeFrom), retiredAt === null ? '' : dateText(retiredAt)],
  ])
  const table = formatTable(['SELECTOR', 'ALGORITHM', 'STATE', 'SIGNS FROM', 'UNTIL'], rows, style)
  return `${table}\nTo be published in DNS:\n\n${keys.map(({ record }) => `${record.zone}\n`).join('\n')}`
}

function zoneText(records: readonly WantedRecord[]): string {
  const lines = (needed: boolean) =>
    records.filter((record) => record.needed === needed).map(({ zone }) => `${zone}\n`)
  const host = records.find(({ purpose }) => purpose === 'mx')?.value.replace(/^\d+ /, '')
  const address = `; ${host} needs its A and AAAA records, and its addresses a PTR record with this name\n`
  return `${address}${lines(true).join('')}\n; suggestions: MTA-STS needs a policy on the web too, RFC 8461\n${lines(false).join('')}`
}

function checkText(records: readonly CheckedRecord[], style: Style): string {
  const rows = records.map(({ state, needed, type, name }) => [
    needed || state === 'ok' ? state : `${state} (suggestion)`,
    ...[type, name],
  ])
  const wrong = records.filter(({ state, needed }) => needed && (state === 'missing' || state === 'differs'))
  const details = wrong.map(({ zone, found }) => {
    const there = found.length === 0 ? '' : `; there is: ${found.join(' | ')}\n`
    return `${there}${zone}\n`
  })
  const table = formatTable(['STATE', 'TYPE', 'NAME'], rows, style)
  const wanted = details.length === 0 ? '' : `\nTo be published in DNS:\n\n${details.join('\n')}`
  const silent = records.some(({ state }) => state === 'unknown')
    ? '\nunknown: DNS gave no answer. Try again later, or look at dns.servers in the configuration.\n'
    : ''
  return `${table}${wanted}${silent}`
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
}

/** `12h`, `2d`, `0h`. */
function readAfter(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,4})([hd])$/.exec(text) ?? []
  if (unit === '') throw new InvalidArgumentError('Write hours or days, such as 12h or 2d.')
  return Number(amount) * (unit === 'h' ? 3_600_000 : 86_400_000)
}
