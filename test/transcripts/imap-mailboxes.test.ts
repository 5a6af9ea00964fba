/** Conversations about mailboxes themselves: RFC 3501 §6.3, RFC 6154, RFC 2342. */
import { after, before, test } from 'node:test'
import { loggedIn, openImapWorld, selected, type ImapWorld } from './imap-world.ts'

let world: ImapWorld
before(async () => {
  world = await openImapWorld({ limits: { mailboxNameOctets: 100 } })
})
after(() => world.close())

const play = (transcript: string) => world.play(`${loggedIn}${transcript}`)

test('LIST tells the mailboxes of a new account with their uses', () =>
  play(`
    C: a LIST "" *
    S: * LIST (\\HasNoChildren \\Archive) "/" Archive
    S: * LIST (\\HasNoChildren \\Drafts) "/" Drafts
    S: * LIST (\\HasNoChildren) "/" INBOX
    S: * LIST (\\HasNoChildren \\Junk) "/" Junk
    S: * LIST (\\HasNoChildren \\Sent) "/" Sent
    S: * LIST (\\HasNoChildren \\Trash) "/" Trash
    S: a OK Listed
    C: b LIST "" ""
    S: * LIST (\\Noselect) "/" ""
    S: b OK Listed
    C: c LIST "" "inbox"
    S: * LIST (\\HasNoChildren) "/" INBOX
    S: c OK Listed
    C: d NAMESPACE
    S: * NAMESPACE (("" "/")) NIL NIL
    S: d OK Namespaces told
  `))

test('CREATE makes parents; % stops at the separator; names travel as modified UTF-7', () =>
  play(`
    C: a CREATE owatagusiam/
    S: a OK Created
    C: b CREATE owatagusiam/blurdybloop
    S: b OK Created
    C: c CREATE owatagusiam
    S: c NO [ALREADYEXISTS] A mailbox of that name exists
    C: d CREATE "&U,BTFw-/&ZeVnLIqe-"
    S: d OK Created
    C: e LIST "" %
    S: * LIST (\\HasChildren) "/" &U,BTFw-
    S: * LIST (\\HasNoChildren \\Archive) "/" Archive
    S: * LIST (\\HasNoChildren \\Drafts) "/" Drafts
    S: * LIST (\\HasNoChildren) "/" INBOX
    S: * LIST (\\HasNoChildren \\Junk) "/" Junk
    S: * LIST (\\HasNoChildren \\Sent) "/" Sent
    S: * LIST (\\HasNoChildren \\Trash) "/" Trash
    S: * LIST (\\HasChildren) "/" owatagusiam
    S: e OK Listed
    C: f LIST owatagusiam/ *
    S: * LIST (\\HasNoChildren) "/" owatagusiam/blurdybloop
    S: f OK Listed
    C: g RENAME owatagusiam/blurdybloop "sarasoop %"
    S: g NO [CANNOT] A name holds no wildcards
    C: h RENAME owatagusiam sarasoop
    S: h OK Renamed
    C: i LIST "" sara*
    S: * LIST (\\HasChildren) "/" sarasoop
    S: * LIST (\\HasNoChildren) "/" sarasoop/blurdybloop
    S: i OK Listed
    C: j RENAME sarasoop sarasoop/below
    S: j NO [CANNOT] A mailbox cannot go below itself
    C: k DELETE sarasoop
    S: k NO [HASCHILDREN] There are mailboxes below it
    C: l DELETE sarasoop/blurdybloop
    S: l OK Deleted
    C: m DELETE sarasoop
    S: m OK Deleted
    C: n DELETE sarasoop
    S: n NO [NONEXISTENT] No such mailbox
    C: o DELETE inbox
    S: o NO [CANNOT] INBOX cannot be deleted
    C: p RENAME nowhere somewhere
    S: p NO [NONEXISTENT] No such mailbox
    C: q RENAME Sent Drafts
    S: q NO [ALREADYEXISTS] A mailbox of that name exists
  `))

const refusedNames = [
  '""',
  '"/"',
  '"a//b"',
  '/a',
  '"a/../b"',
  '".."',
  '"a b*"',
  'x'.repeat(101),
  '&',
  '"&AAA-"',
  `"${'a/'.repeat(49)}aa/b"`,
]
for (const name of refusedNames) {
  test(`CREATE ${name.slice(0, 20)} is refused`, () =>
    play(`
      C: a CREATE ${name}
      S: a NO [<…>
    `))
}

test('RENAME of INBOX moves its messages and leaves it empty', async () => {
  const own = await openImapWorld()
  await own.deliver('Subject: one\r\n\r\n1\r\n')
  await own.play(`
    ${selected(1)}
    C: a RENAME INBOX old-mail
    S: * 1 EXPUNGE
    S: a OK Renamed
    C: b STATUS old-mail (MESSAGES)
    S: * STATUS old-mail (MESSAGES 1)
    S: b OK Status told
    C: c STATUS INBOX (MESSAGES)
    S: * STATUS INBOX (MESSAGES 0)
    S: c OK Status told
  `)
  await own.close()
})

test('CREATE-SPECIAL-USE gives a use that nobody has', () =>
  play(`
    C: a CREATE Gone (USE (\\Trash))
    S: a NO [USEATTR] Another mailbox has that use
    C: b DELETE Trash
    S: b OK Deleted
    C: c CREATE Gone (USE (\\Trash))
    S: c OK Created
    C: d LIST "" Gone
    S: * LIST (\\HasNoChildren \\Trash) "/" Gone
    S: d OK Listed
    C: e CREATE Everything (USE (\\All))
    S: e NO [USEATTR] A mailbox cannot have that use
  `))

test('Subscriptions are of names, which need not exist; LSUB with % tells parents', () =>
  play(`
    C: a SUBSCRIBE news/comp/mail
    S: a OK Subscribed
    C: b LSUB "" news*
    S: * LSUB () "/" news/comp/mail
    S: b OK Listed
    C: c LSUB "" new%
    S: * LSUB (\\Noselect) "/" news
    S: c OK Listed
    C: d UNSUBSCRIBE news/comp/mail
    S: d OK Unsubscribed
    C: e LSUB "" news*
    S: e OK Listed
  `))

test('STATUS tells what it is asked, in that order', () =>
  play(`
    C: a STATUS inbox (UIDNEXT MESSAGES UNSEEN RECENT)
    S: * STATUS INBOX (UIDNEXT 1 MESSAGES 0 UNSEEN 0 RECENT 0)
    S: a OK Status told
    C: b STATUS nowhere (MESSAGES)
    S: b NO [NONEXISTENT] No such mailbox
    C: c STATUS inbox (UIDVALIDITY)
    S: * STATUS INBOX (UIDVALIDITY <…>)
    S: c OK Status told
  `))

test('A mailbox that cannot be opened leaves none selected', () =>
  play(`
    C: a SELECT Sent
    S: * FLAGS <…>
    S: * OK [PERMANENTFLAGS <…>
    S: * 0 EXISTS
    S: * 0 RECENT
    S: * OK [UIDVALIDITY <…>
    S: * OK [UIDNEXT 1] Next UID
    S: a OK [READ-WRITE] Opened
    C: b SELECT nowhere
    S: b NO [NONEXISTENT] No such mailbox
    C: c CHECK
    S: c BAD No mailbox is selected
  `))

test('A mailbox that another session deletes is gone for those who have it open', () =>
  world.play(`
    ${loggedIn}
    C: a CREATE short-lived
    S: a OK Created
    C: b SELECT short-lived
    S: * FLAGS <…>
    S: * OK [PERMANENTFLAGS <…>
    S: * 0 EXISTS
    S: * 0 RECENT
    S: * OK [UIDVALIDITY <…>
    S: * OK [UIDNEXT 1] Next UID
    S: b OK [READ-WRITE] Opened
    S2: * OK <…>
    C2: l LOGIN bob hungry
    S2: l OK <…>
    C2: m DELETE short-lived
    S2: m OK Deleted
    C: c NOOP
    S: c NO [NONEXISTENT] The selected mailbox has been deleted
    C: d CHECK
    S: d BAD No mailbox is selected
    C2: n LOGOUT
    S2: * BYE <…>
    S2: n OK Goodbye
  `))
