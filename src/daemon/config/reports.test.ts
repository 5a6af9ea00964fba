import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultReports } from '../../base/reports-config.ts'
import { ConfigError } from '../config-error.ts'
import { parseConfig } from '../load-config.ts'

const read = (text: string) =>
  parseConfig(`hostname = "mx.posthorn.example"\n${text}`, '/etc/posthorn/posthorn.toml').config.reports

test('without a word about reports both kinds are sent', () => {
  assert.deepEqual(read(''), defaultReports)
  assert.deepEqual([defaultReports.dmarc, defaultReports.tls], [true, true])
})

test('reports as the operator wants them', () => {
  assert.deepEqual(
    read(`
[reports]
dmarc = false
from = "DMARC-reports@Crêpes.fr"
organisation = "Crêpes & co."
contact = "https://crepes.fr/mail"
exclude = ["Noisy.example"]
addresses = ["dmarc@crepes.fr"]
`),
    {
      ...{ dmarc: false, tls: true, from: 'dmarc-reports@xn--crpes-isa.fr', organisation: 'Crêpes & co.' },
      ...{ contact: 'https://crepes.fr/mail', exclude: ['noisy.example'], addresses: ['dmarc@crepes.fr'] },
    },
  )
})

test('what is wrong is said with its line', () => {
  for (const [text, line, problem] of [
    ['[reports]\nfrom = "nobody"', 3, 'reports.from: "nobody" is not an address'],
    ['[reports]\nfrom = "a b@crepes.fr"', 3, 'reports.from: "a b@crepes.fr" is not an address'],
    ['[reports]\nexclude = ["a b"]', 3, 'reports.exclude: "a b" is not a domain'],
    ['[reports]\naddresses = ["x"]', 3, 'reports.addresses: "x" is not an address'],
    ['[reports]\ndmark = true', 3, 'Unknown key reports.dmark'],
  ] as const) {
    assert.throws(
      () => read(text),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError)
        assert.deepEqual([error.line, error.problem], [line, problem])
        return true
      },
    )
  }
})
