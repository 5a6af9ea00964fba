/** Every message and every one that can be put back shows an email of its account, which knows that it is shown there. */
import type { Sql } from '../database.ts'
import { type Findings, rowsMax } from './findings.ts'

type MessageRow = readonly [
  number,
  number,
  number,
  number,
  number | null,
  number | null,
  number | null,
  number,
]

const tables = [
  ['message', 'The message'],
  ['tombstone', 'The expunged message'],
] as const

export function checkMessages(sql: Sql, findings: Findings): void {
  for (const [table, what] of tables) {
    const rows = sql.all<MessageRow>(
      `SELECT * FROM (SELECT x.account, x.mailbox, x.uid, x.octets, e.email, e.account AS owner,
        length(e.prefix) + e.body_octets AS sum,
        instr(' ' || e.places || ' ', ' ' || x.mailbox || ':' || x.uid || ' ') AS place
        FROM ${table} x LEFT JOIN email e ON e.email = x.email)
        WHERE email IS NULL OR owner <> account OR sum <> octets OR place = 0 LIMIT ${rowsMax}`,
    )
    for (const row of rows) tell(row, what, findings)
  }
}

function tell(row: MessageRow, what: string, findings: Findings): void {
  const [account, mailbox, uid, octets, email, owner, sum, place] = row
  const add = (kind: string, text: string) => findings.add(kind, `${what} ${text}`, { account, mailbox, uid })
  if (email === null) {
    add('message-email', 'has no email row: its text cannot be found')
    return
  }
  if (owner !== account) add('message-email', `shows an email of ${findings.accountName(owner!)}`)
  if (sum !== octets) add('message-octets', `is noted with ${octets} octets and has ${sum}`)
  if (place === 0) add('email-places', 'is not among the places of its email')
}
