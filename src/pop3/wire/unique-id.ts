/**
 * unique-id = 1*70 %x21-7E
 *
 * RFC 1939 §7 UIDL: stays with the message across sessions and is never given to another. A UID under its UIDVALIDITY
 * is just that (RFC 9051 §2.3.1.1), and one that IMAP and POP3 share.
 *
 * @returns `uidValidity.uid`, at most 21 chars.
 */
export function uniqueId(uidValidity: number, uid: number): string {
  return `${uidValidity}.${uid}`
}
