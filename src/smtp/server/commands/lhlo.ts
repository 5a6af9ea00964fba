import type { Command } from '../session.ts'
import { ehlo } from './ehlo.ts'

/** EHLO under another name, so that nobody takes one protocol for the other: RFC 2033 §4.1. */
export const lhlo: Command = { ...ehlo, verb: 'LHLO', roles: ['lmtp'] }
