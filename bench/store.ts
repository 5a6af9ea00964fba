/**
 * The benchmarks of the store, each figure with its goal of design/storage.md beside it.
 *
 * `--quick` small sizes, a minute; `--only NAME[,NAME]`; `--json`; `--mailbox N`, `--large-mailbox N`, `--accounts N`,
 * `--messages N`, `--letters N`, `--seconds N` for other sizes; `--anew` makes the prepared stores in .cache/bench anew.
 */
import { parseArgs } from 'node:util'
import { type Figure, type Sizes, type Subject, describe, header } from './store/figure.ts'
import { describeMachine, loadAverage } from './store/machine.ts'
import { measureDeliver } from './store/deliver.ts'
import { measureFlags } from './store/flags.ts'
import { measureGrowth } from './store/growth.ts'
import { measureHousekeeping } from './store/housekeeping.ts'
import { measureImap } from './store/imap.ts'
import { measureIndexLoad } from './store/index-load.ts'
import { measureSmtp } from './store/smtp.ts'

const subjects: Readonly<Record<string, Subject>> = {
  deliver: measureDeliver,
  index: measureIndexLoad,
  flags: measureFlags,
  smtp: measureSmtp,
  imap: measureImap,
  housekeeping: measureHousekeeping,
  growth: measureGrowth,
}

const { values } = parseArgs({
  args: process.argv.slice(2).filter((word, n) => n > 0 || word.startsWith('-')),
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    anew: { type: 'boolean', default: false },
    mailbox: { type: 'string' },
    'large-mailbox': { type: 'string' },
    accounts: { type: 'string' },
    messages: { type: 'string' },
    letters: { type: 'string' },
    seconds: { type: 'string' },
  },
})

const quick = values.quick
const pick = (text: string | undefined, small: number, large: number) =>
  Number(text ?? (quick ? small : large))
const sizes: Sizes = {
  mailbox: pick(values.mailbox, 10_000, 100_000),
  largeMailbox: pick(values['large-mailbox'], 100_000, 1_000_000),
  growthAccounts: pick(values.accounts, 1_000, 10_000),
  growthMessages: pick(values.messages, 100_000, 5_000_000),
  letters: pick(values.letters, 1_200, 20_000),
  seconds: pick(values.seconds, 2, 9),
}
const wanted = values.only?.split(',') ?? Object.keys(subjects)
const unknown = wanted.filter((name) => !Object.hasOwn(subjects, name))
if (unknown.length > 0) {
  console.error(`No such subject: ${unknown.join(', ')}. There are: ${Object.keys(subjects).join(', ')}`)
  process.exit(2)
}

const figures: Figure[] = []
const surrounding = {
  ...{ quick, sizes, anew: values.anew },
  say(figure: Figure) {
    figures.push(figure)
    console.log(describe(figure))
  },
}
console.log(header())
describeMachine(surrounding)
for (const name of wanted) await subjects[name]!(surrounding)
describeMachine(surrounding)
console.log(`load at the end: ${loadAverage()}`)
if (values.json) console.log(JSON.stringify(figures))
