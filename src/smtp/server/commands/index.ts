import type { Command } from '../session.ts'
import { auth } from './auth.ts'
import { bdat } from './bdat.ts'
import { data } from './data.ts'
import { ehlo } from './ehlo.ts'
import { etrn } from './etrn.ts'
import { expn } from './expn.ts'
import { helo } from './helo.ts'
import { help } from './help.ts'
import { lhlo } from './lhlo.ts'
import { mail } from './mail.ts'
import { noop } from './noop.ts'
import { quit } from './quit.ts'
import { rcpt } from './rcpt.ts'
import { rset } from './rset.ts'
import { starttls } from './starttls.ts'
import { vrfy } from './vrfy.ts'
import { xclient } from './xclient.ts'

/** Those of each message come first. */
const commands: readonly Command[] = [
  mail,
  rcpt,
  data,
  quit,
  ehlo,
  rset,
  starttls,
  auth,
  bdat,
  helo,
  lhlo,
  noop,
  vrfy,
  expn,
  help,
  xclient,
  etrn,
]

/** @param verb In capitals. */
export function commandOf(verb: string): Command | null {
  // Not a Map: V8 makes a lasting name of every string that is looked up in one.
  for (const command of commands) if (command.verb === verb) return command
  return null
}
