/** The dates of IMAP: `date` of SEARCH and `date-time` of APPEND and INTERNALDATE, RFC 3501 §9. */
import { bad } from './refusal.ts'

export const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
export const dayMs = 86_400_000

/**
 * date-text = date-day "-" date-month "-" date-year
 *
 * @returns Midnight of that day, in milliseconds since 1970, UTC: a name for the day and not a moment.
 */
export function parseDate(text: string): number {
  const found = /^([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})$/.exec(text)
  const day = found === null ? null : dayFrom(found[1]!, found[2]!, found[3]!)
  if (day === null) throw bad('Cannot read date: expected dd-Mon-yyyy')
  return day
}

/**
 * date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
 *
 * @param text Without the quotes.
 * @returns Milliseconds since 1970.
 */
export function parseDateTime(text: string): number {
  const pattern =
    /^([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})$/
  const found = pattern.exec(text)
  const day = found === null ? null : dayFrom(found[1]!.trim(), found[2]!, found[3]!)
  if (found === null || day === null)
    throw bad('Cannot read date-time: expected "dd-Mon-yyyy hh:mm:ss +hhmm"')
  const [hours, minutes, seconds] = [Number(found[4]), Number(found[5]), Number(found[6])]
  const zone = Number(found[8]) * 60 + Number(found[9])
  // A leap second is written as 60 and kept as the second after it.
  if (hours > 23 || minutes > 59 || seconds > 60 || Number(found[9]) > 59)
    throw bad('Cannot read date-time: no such time')
  const local = day + hours * 3_600_000 + minutes * 60_000 + seconds * 1_000
  return local - (found[7] === '-' ? -zone : zone) * 60_000
}

function dayFrom(dayText: string, monthText: string, yearText: string): number | null {
  const month = monthNames.findIndex((name) => name.toUpperCase() === monthText.toUpperCase())
  const day = Number(dayText)
  const midnight = new Date(0)
  midnight.setUTCFullYear(Number(yearText), month, day)
  if (month < 0 || midnight.getUTCDate() !== day || midnight.getUTCMonth() !== month) return null
  return midnight.getTime()
}

/** `17-Jul-1996 02:44:25 +0000`, always in UTC: which zone a message was received in is not kept. 26 chars. */
export function formatDateTime(ms: number): string {
  return formatDay(Math.floor(ms / dayMs)) + formatTime(ms)
}

/** `17-Jul-1996`, the day a number of days after 1 Jan 1970; a leading space where RFC 3501 wants two chars. */
export function formatDay(days: number): string {
  const date = new Date(days * dayMs)
  const year = String(Math.min(9999, Math.max(0, date.getUTCFullYear()))).padStart(4, '0')
  return `${String(date.getUTCDate()).padStart(2, ' ')}-${monthNames[date.getUTCMonth()]}-${year}`
}

function formatTime(ms: number): string {
  const seconds = Math.floor((ms - Math.floor(ms / dayMs) * dayMs) / 1_000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return ` ${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)} +0000`
}
