/** The line that begins each message of an mbox, RFC 4155 Appendix A: `From ada@client.example Thu Nov  6 10:11:12 2025`. */
import { parseDate } from '../message/date.ts'

export interface FromLine {
  /** As written; '' when there is none. */
  readonly sender: string
  /** Milliseconds since 1970; null when the date cannot be read. */
  readonly date: number | null
}

/** Octets of such a line that are looked at. */
export const fromLineOctets = 1_024

const fromPattern = /^From (?:(.*?) +)?((?:sun|mon|tue|wed|thu|fri|sat)[a-z]*,? +\S.*)$/i

/**
 * Reads a line that begins with `From `. Programs differ in the date (with or without zone, seconds, comma) and in what
 * stands for the sender, so the date decides: without one it is a line of somebody's text.
 *
 * @param line One char per octet, without its line end.
 * @returns Null when it is no such line.
 */
export function parseFromLine(line: string): FromLine | null {
  const found = fromPattern.exec(line.trimEnd())
  if (found === null) return null
  const [, sender = '', rest = ''] = found
  // UUCP adds where it came from; some old programs leave the seconds out.
  const date = rest.replace(/ remote from .*$/, '').replace(/ (\d{1,2}:\d{2})(?= )/, ' $1:00')
  const moment = parseDate(date)
  return moment === null ? null : { sender: sender.trim(), date: moment.epochMs }
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** @param date Milliseconds since 1970; told in UTC, RFC 4155 Appendix A. */
export function formatFromLine(sender: string, date: number): string {
  const when = new Date(date)
  const two = (value: number) => String(value).padStart(2, '0')
  const time = `${two(when.getUTCHours())}:${two(when.getUTCMinutes())}:${two(when.getUTCSeconds())}`
  const day = `${days[when.getUTCDay()]} ${months[when.getUTCMonth()]} ${String(when.getUTCDate()).padStart(2)}`
  // A blank would end it, and a null reverse-path has no name.
  const name = sender.replace(/[^!-~]/g, '-')
  return `From ${name === '' ? 'MAILER-DAEMON' : name} ${day} ${time} ${when.getUTCFullYear()}`
}
