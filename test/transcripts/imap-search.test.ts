/** Conversations about SEARCH, RFC 3501 §6.4.4. */
import { test } from 'node:test'
import { openImapWorld, selected, type ImapWorld } from './imap-world.ts'

/** A world with bob's letters in it, played in, and closed. */
async function withLetters(
  letters: readonly string[],
  work: (world: ImapWorld) => Promise<void>,
  options = {},
): Promise<void> {
  const world = await openImapWorld(options)
  try {
    for (const letter of letters) await world.deliver(letter)
    await work(world)
  } finally {
    await world.close()
  }
}

const letter = (subject: string, text = 'Do you like ketchup?') =>
  `Subject: ${subject}\r\nTo: bob@hamburger.edu\r\n\r\n${text}\r\n`

const multipart = [
  'From: alice@crepes.fr',
  'Subject: parts',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  'preamble',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'caf=C3=A9 au lait',
  '--b',
  'Content-Type: message/rfc822',
  '',
  'Subject: inner',
  '',
  'inside',
  '--b--',
  '',
].join('\r\n')

test('SEARCH by flags, numbers, sizes, dates and texts', () =>
  withLetters([], async (world) => {
    const at = (day: number) => Date.UTC(2026, 0, day, 23, 59)
    await world.deliver(letter('=?utf-8?q?caf=C3=A9?='), {
      internalDate: at(1),
      flags: 1,
      keywords: ['$Work'],
    })
    await world.deliver(multipart, { internalDate: at(2), flags: 4 })
    await world.deliver(
      `Date: Mon, 2 Feb 1998 01:00:00 +0900\r\nFrom: Ann <ann@x.example>\r\n${letter('three', 'x'.repeat(300))}`,
      {
        internalDate: at(3),
        prefix: 'X-Trace: here\r\n',
      },
    )
    const found: [string, string][] = [
      ['ALL', ' 1 2 3'],
      ['SEEN', ' 1'],
      ['UNSEEN FLAGGED', ' 2'],
      ['NOT SEEN', ' 2 3'],
      ['OR SEEN FLAGGED', ' 1 2'],
      ['KEYWORD $work', ' 1'],
      ['UNKEYWORD $Work', ' 2 3'],
      ['KEYWORD nobody', ''],
      ['NEW', ' 2 3'],
      ['RECENT', ' 2 3'],
      ['OLD', ' 1'],
      ['2:*', ' 2 3'],
      ['UID 3 NOT 1', ' 3'],
      ['(1 SEEN) UNDELETED', ' 1'],
      ['LARGER 350', ' 3'],
      ['SMALLER 100', ' 1'],
      ['ON 2-Jan-2026', ' 2'],
      ['BEFORE 2-Jan-2026', ' 1'],
      ['SINCE "2-Jan-2026"', ' 2 3'],
      ['SENTON 2-Feb-1998', ' 3'],
      ['SENTBEFORE 1-Jan-2000', ' 3'],
      ['NOT SENTSINCE 1-Jan-1970', ' 1 2'],
      ['FROM ann', ' 3'],
      ['FROM "ANN@X"', ' 3'],
      ['TO bob', ' 1 3'],
      ['SUBJECT three', ' 3'],
      ['HEADER X-Trace ""', ' 3'],
      ['HEADER subject inner', ''],
      ['TEXT here', ' 3'],
      ['BODY here', ''],
      ['TEXT inner', ' 2'],
      ['BODY "au lait"', ' 2'],
      ['BODY ketchup', ' 1'],
      ['NOT BODY ketchup', ' 2 3'],
      ['OR SEEN BODY inside', ' 1 2'],
    ]
    // \Recent begins behind the last message that was read: docs/decisions/040.
    const lines = found.map(
      ([key, numbers], i) => `C: s${i} SEARCH ${key}\nS: * SEARCH${numbers}\nS: s${i} OK Searched`,
    )
    await world.play(`
      ${selected(3, 2, 2)}
      ${lines.join('\n')}
      C: u SEARCH CHARSET UTF-8 SUBJECT {5+}
      C: CAF\xc3\x89
      S: * SEARCH 1
      S: u OK Searched
      C: v UID SEARCH CHARSET UTF-8 TEXT {5}
      S: + Go ahead
      C: caf\xc3\xa9
      S: * SEARCH 1 2
      S: v OK Searched
      C: w SEARCH CHARSET x-none ALL
      S: w NO [BADCHARSET (US-ASCII UTF-8)] <…>
      C: y UID SEARCH UID 99
      S: * SEARCH
      S: y OK Searched
    `)
  }))

test('SEARCH in other charsets, in quoted strings too; texts are UTF-8 when no charset is named', () =>
  withLetters([letter('=?utf-8?q?caf=C3=A9?='), letter('tea', 'caf\xc3\xa9')], (world) =>
    world.play(`
      ${selected(2)}
      C: v1 SEARCH CHARSET iso-8859-1 TEXT {4}
      S: + Go ahead
      C: caf\xe9
      S: * SEARCH 1 2
      S: v1 OK Searched
      C: v2 SEARCH CHARSET "UTF-8" TEXT "caf\xc3\xa9"
      S: * SEARCH 1 2
      S: v2 OK Searched
      C: v3 SEARCH TEXT "caf\xe9"
      S: v3 BAD Cannot read SEARCH: text is not utf-8
    `),
  ))

test('SEARCH finds nothing under numbers that no message has', () =>
  withLetters([letter('one'), letter('two'), letter('three')], (world) =>
    world.play(`
      ${selected(3)}
      C: x SEARCH 4
      S: * SEARCH
      S: x OK Searched
      C: x1 SEARCH 2,4:*
      S: * SEARCH 2 3
      S: x1 OK Searched
      C: x2 SEARCH NOT 5:3
      S: * SEARCH 1 2
      S: x2 OK Searched
      C: x3 SELECT Drafts
      S: * FLAGS <…>
      S: * OK [PERMANENTFLAGS <…>
      S: * 0 EXISTS
      S: * 0 RECENT
      S: * OK [UIDVALIDITY <…>
      S: * OK [UIDNEXT <…>
      S: x3 OK [READ-WRITE] Opened
      C: x4 SEARCH 1:*
      S: * SEARCH
      S: x4 OK Searched
      C: x5 SEARCH NOT *
      S: * SEARCH
      S: x5 OK Searched
      C: x6 UID SEARCH UID *
      S: * SEARCH
      S: x6 OK Searched
      C: x7 FETCH 1:* UID
      S: x7 BAD No such message
    `),
  ))
