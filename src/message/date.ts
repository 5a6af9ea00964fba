/** A moment, and the zone it was told in. */
export interface MailDate {
  readonly epochMs: number
  /** East of Greenwich is positive. 0 when the zone is unknown, RFC 5322 §4.3. */
  readonly offsetMinutes: number
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** RFC 5322 §4.3: obs-zone. Military letters were told wrongly for so long that they mean nothing. */
const ZONES: Readonly<Record<string, number>> = {
  EDT: -4,
  EST: -5,
  CDT: -5,
  CST: -6,
  MDT: -6,
  MST: -7,
  PDT: -7,
  PST: -8,
}

/** Characters that are looked at; a date has about 40. */
const DATE_CHARS = 200

/** date-time = [ day-of-week "," ] date time [CFWS], with the blanks and short years of obs-date */
const DATE_TIME =
  /^(?:[a-z]{2,9}\.?,? ?)?(\d{1,2})[ -]([a-z]{3})[a-z]*\.?,?[ -](\d{2,4}),? (\d{1,2}) ?[:.] ?(\d{1,2})(?: ?[:.] ?(\d{1,2}))?(?:\.\d+)? ?([+-] ?\d{1,2}:?\d{2}|[a-z]{1,5})?/i

/** What C's ctime writes, found in old mail: `Mon Jan  1 10:20:30 2024`. */
const CTIME =
  /^[a-z]{3},? ([a-z]{3}) (\d{1,2}) (\d{1,2}):(\d{2}):(\d{2}) (?:([+-]\d{4}|[a-z]{1,5}) )?(\d{4})(?: ([+-]\d{4}))?/i

/** Removes comments; one that is never closed reaches to the end. */
function withoutComments(text: string): string {
  let out = ''
  let depth = 0
  for (const character of text) {
    if (character === '(') depth++
    else if (character === ')' && depth > 0) depth--
    else if (depth === 0) out += character
  }
  return out
}

function parseZone(zone: string | undefined): number {
  const numeric = /^([+-]) ?(\d{1,2}):?(\d{2})$/.exec(zone ?? '')
  if (numeric === null) return (ZONES[(zone ?? '').toUpperCase()] ?? 0) * 60
  const minutes = Number(numeric[2]) * 60 + Number(numeric[3])
  // RFC 5322 §3.3: "-9959" is allowed by the grammar; no place on earth is there.
  if (minutes > 24 * 60) return 0
  return numeric[1] === '-' && minutes > 0 ? -minutes : minutes
}

/** RFC 5322 §4.3: two digits are 1950 to 2049, three count from 1900. */
function fullYear(digits: string): number {
  const year = Number(digits)
  if (digits.length === 2) return year < 50 ? year + 2000 : year + 1900
  return digits.length === 3 ? year + 1900 : year
}

/**
 * Reads the Date field of RFC 5322 §3.3, obsolete and usual broken forms too.
 *
 * @returns Null when it names no moment; a wrong day of the week does not matter.
 */
export function parseDate(text: string): MailDate | null {
  const plain = withoutComments(text.slice(0, DATE_CHARS)).replace(/\s+/g, ' ').trim()
  const match = DATE_TIME.exec(plain)
  if (match !== null) {
    const [, day, month, year, hour, minute, second, zone] = match
    return moment(
      fullYear(year!),
      month!,
      Number(day),
      Number(hour),
      Number(minute),
      Number(second ?? 0),
      zone,
    )
  }
  const ctime = CTIME.exec(plain)
  if (ctime === null) return null
  const [, month, day, hour, minute, second, zone, year, after] = ctime
  const numbers = [Number(day), Number(hour), Number(minute), Number(second)] as const
  return moment(Number(year), month!, ...numbers, after ?? zone)
}

function moment(
  year: number,
  monthName: string,
  day: number,
  hour: number,
  minute: number,
  second: number,
  zone: string | undefined,
): MailDate | null {
  const month = MONTHS.indexOf(monthName.charAt(0).toUpperCase() + monthName.slice(1).toLowerCase())
  // RFC 5322 §3.3: a second may be 60; the year is 1900 or later.
  if (month < 0 || year < 1900 || hour > 23 || minute > 59 || second > 60) return null
  const local = new Date(Date.UTC(year, month, day, hour, minute, second))
  if (day < 1 || new Date(Date.UTC(year, month, day)).getUTCDate() !== day) return null
  const offsetMinutes = parseZone(zone)
  return { epochMs: local.getTime() - offsetMinutes * 60_000, offsetMinutes }
}

const DAY_MS = 86_400_000

const two = (value: number) => (value < 10 ? `0${value}` : `${value}`)

/** The day that was written last, since nearly all that is written is of today. */
let written = { day: Number.NaN, text: '' }

/** @param day Since 1970. @returns `Mon, 01 Jan 2024` */
function formatDay(day: number): string {
  if (written.day !== day) {
    const text = new Date(day * DAY_MS).toUTCString()
    written = { day, text: text.slice(0, text.indexOf(':') - 3) }
  }
  return written.text
}

/**
 * Writes a date as RFC 5322 §3.3 wants it: `Mon, 01 Jan 2024 10:20:30 +0100`.
 *
 * @param offsetMinutes The zone to tell it in, east positive.
 */
export function formatDate(epochMs: number, offsetMinutes = 0): string {
  const localMs = epochMs + offsetMinutes * 60_000
  const day = Math.floor(localMs / DAY_MS)
  const second = Math.floor((localMs - day * DAY_MS) / 1000)
  const time = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`
  const zone = Math.abs(Math.trunc(offsetMinutes))
  return `${formatDay(day)} ${time} ${offsetMinutes < 0 ? '-' : '+'}${two(Math.trunc(zone / 60))}${two(zone % 60)}`
}
