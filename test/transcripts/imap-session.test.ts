/** Conversations with the IMAP door about sessions: log-in, states, mailboxes selected. */
import { test } from 'node:test'
import { openImapWorld, loggedIn, selected, type ImapWorld } from './imap-world.ts'

async function withWorld(work: (world: ImapWorld) => Promise<void>, options = {}): Promise<void> {
  const world = await openImapWorld(options)
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

test('RFC 3501 §8: the sample connection', () =>
  withWorld(async (world) => {
    const body = [
      'Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)',
      'From: Terry Gray <gray@cac.washington.edu>',
      'Subject: IMAP4rev1 WG mtg summary and minutes',
      'To: imap@cac.washington.edu',
      'cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>',
      'Message-Id: <B27397-0100000@cac.washington.edu>',
      'MIME-Version: 1.0',
      'Content-Type: TEXT/PLAIN; CHARSET=US-ASCII',
      '',
      'hello',
      '',
    ].join('\r\n')
    await world.deliver('Subject: one\r\n\r\n1\r\n', { flags: 1 })
    await world.deliver(body, { internalDate: Date.UTC(1996, 6, 17, 9, 44, 25), flags: 1 })
    await world.play(`
      S: * OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE AUTH=PLAIN AUTH=LOGIN] mail.hamburger.edu IMAP ready
      C: a001 login bob hungry
      S: a001 OK [CAPABILITY IMAP4rev1 <…>] Logged in
      C: a002 select inbox
      S: * FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)
      S: * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft \\*)] Flags that are kept
      S: * 2 EXISTS
      S: * 0 RECENT
      S: * OK [UIDVALIDITY <…>] UIDs hold
      S: * OK [UIDNEXT 3] Next UID
      S: a002 OK [READ-WRITE] Opened
      C: a003 fetch 2 full
      S: * 2 FETCH (FLAGS (\\Seen) INTERNALDATE "17-Jul-1996 09:44:25 +0000" RFC822.SIZE 349 ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>") BODY ("text" "plain" ("charset" "US-ASCII") NIL NIL "7bit" 7 1))
      S: a003 OK Fetched
      C: a004 fetch 2 body[header]
      S: * 2 FETCH (BODY[HEADER] {342}
      S: Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
      S: From: Terry Gray <gray@cac.washington.edu>
      S: Subject: IMAP4rev1 WG mtg summary and minutes
      S: To: imap@cac.washington.edu
      S: cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
      S: Message-Id: <B27397-0100000@cac.washington.edu>
      S: MIME-Version: 1.0
      S: Content-Type: TEXT/PLAIN; CHARSET=US-ASCII
      S:
      S: )
      S: a004 OK Fetched
      C: a005 store 2 +flags \\deleted
      S: * 2 FETCH (FLAGS (\\Seen \\Deleted))
      S: a005 OK Stored
      C: a006 logout
      S: * BYE mail.hamburger.edu closing connection
      S: a006 OK Goodbye
      S: (closed)
    `)
  }))

test('A mailbox that is empty can be selected', () => withWorld((world) => world.play(selected(0))))

test('Nothing but log-in is possible before log-in', () =>
  withWorld((world) =>
    world.play(`
      S: * OK <…>
      C: a SELECT INBOX
      S: a BAD Log in first
      C: b FETCH 1 FLAGS
      S: b BAD Log in first
      ${loggedIn.replace('S: * OK <…>', '')}
      C: c LOGIN bob hungry
      S: c BAD You are logged in already
      C: d FETCH 1 FLAGS
      S: d BAD No mailbox is selected
    `),
  ))
