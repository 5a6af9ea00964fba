/** Conversations about LIST with options: RFC 5258, RFC 5819, RFC 6154. */
import { after, before, test } from 'node:test'
import { loggedIn, openImapWorld, type ImapWorld } from './imap-world.ts'

let world: ImapWorld
before(async () => {
  world = await openImapWorld()
  await world.deliver('Subject: one\r\n\r\n1\r\n')
})
after(() => world.close())

const play = (transcript: string) => world.play(`${loggedIn}${transcript}`)

/** The name of a mailbox of its own, so that tests do not meet. */
const fruit = (top: string) => `
    C: a1 CREATE ${top}/Apple
    S: a1 OK Created
    C: a2 CREATE ${top}/Banana
    S: a2 OK Created
    C: a3 SUBSCRIBE ${top}/Banana
    S: a3 OK Subscribed
    C: a4 SUBSCRIBE ${top}/Peach/Red
    S: a4 OK Subscribed`

test('LIST with several patterns tells each name once; empty patterns match nothing', () =>
  play(`
    C: a LIST "" (INBOX "S%" "*nt" "")
    S: * LIST (\\HasNoChildren) "/" INBOX
    S: * LIST (\\HasNoChildren \\Sent) "/" Sent
    S: a OK Listed
    C: b LIST () "" ""
    S: b OK Listed
    C: c LIST INBOX ("") RETURN ()
    S: c OK Listed
    C: d LIST (REMOTE) "" "inbox" RETURN (CHILDREN)
    S: * LIST (\\HasNoChildren) "/" INBOX
    S: d OK Listed
  `))

test('LIST (SPECIAL-USE) tells the mailboxes that have a use', () =>
  play(`
    C: a LIST (SPECIAL-USE) "" %
    S: * LIST (\\HasNoChildren \\Archive) "/" Archive
    S: * LIST (\\HasNoChildren \\Drafts) "/" Drafts
    S: * LIST (\\HasNoChildren \\Junk) "/" Junk
    S: * LIST (\\HasNoChildren \\Sent) "/" Sent
    S: * LIST (\\HasNoChildren \\Trash) "/" Trash
    S: a OK Listed
    C: b LIST "" "[IJ]%" RETURN (SPECIAL-USE)
    S: b OK Listed
    C: c LIST "" "J%" RETURN (special-use SPECIAL-USE)
    S: * LIST (\\HasNoChildren \\Junk) "/" Junk
    S: c OK Listed
  `))

test('LIST (SUBSCRIBED) tells what is subscribed, whether it exists or not', () =>
  play(`${fruit('one')}
    C: b LIST (SUBSCRIBED) "" one*
    S: * LIST (\\HasNoChildren \\Subscribed) "/" one/Banana
    S: * LIST (\\NonExistent \\Subscribed) "/" one/Peach/Red
    S: b OK Listed
    C: c LIST "one/" % RETURN (SUBSCRIBED)
    S: * LIST (\\HasNoChildren) "/" one/Apple
    S: * LIST (\\HasNoChildren \\Subscribed) "/" one/Banana
    S: c OK Listed
    C: d LIST (SUBSCRIBED SPECIAL-USE) "" one*
    S: d OK Listed
    C: e LIST (SUBSCRIBED) "" one/P* RETURN (CHILDREN)
    S: * LIST (\\HasNoChildren \\NonExistent \\Subscribed) "/" one/Peach/Red
    S: e OK Listed
  `))

test('RECURSIVEMATCH tells the names above what is selected, unless it is told itself', () =>
  play(`${fruit('two')}
    C: b LIST (SUBSCRIBED RECURSIVEMATCH) "" two%
    S: * LIST (\\HasChildren) "/" two ("CHILDINFO" ("SUBSCRIBED"))
    S: b OK Listed
    C: c LIST (RECURSIVEMATCH SUBSCRIBED) "" two*
    S: * LIST (\\HasNoChildren \\Subscribed) "/" two/Banana
    S: * LIST (\\NonExistent \\Subscribed) "/" two/Peach/Red
    S: c OK Listed
    C: d LIST (SUBSCRIBED RECURSIVEMATCH) "" ("two" "two/Banana")
    S: * LIST (\\HasChildren) "/" two ("CHILDINFO" ("SUBSCRIBED"))
    S: * LIST (\\HasNoChildren \\Subscribed) "/" two/Banana
    S: d OK Listed
    C: e LIST (SUBSCRIBED REMOTE RECURSIVEMATCH) "two/" % RETURN (STATUS (MESSAGES))
    S: * LIST (\\HasNoChildren \\Subscribed) "/" two/Banana
    S: * STATUS two/Banana (MESSAGES 0)
    S: * LIST (\\NonExistent) "/" two/Peach ("CHILDINFO" ("SUBSCRIBED"))
    S: e OK Listed
    C: f SUBSCRIBE two
    S: f OK Subscribed
    C: g LIST (SUBSCRIBED RECURSIVEMATCH) "" two*
    S: * LIST (\\HasChildren \\Subscribed) "/" two ("CHILDINFO" ("SUBSCRIBED"))
    S: * LIST (\\HasNoChildren \\Subscribed) "/" two/Banana
    S: * LIST (\\NonExistent \\Subscribed) "/" two/Peach/Red
    S: g OK Listed
    C: h CREATE "three/old &- sent" (USE ())
    S: h OK Created
    C: i DELETE Sent
    S: i OK Deleted
    C: j CREATE "three/&AOQ-" (USE (\\Sent))
    S: j OK Created
    C: k LIST (SPECIAL-USE RECURSIVEMATCH) "" ("th%" "S%")
    S: * LIST (\\HasChildren) "/" three ("CHILDINFO" ("SPECIAL-USE"))
    S: k OK Listed
  `))

test('LIST with RETURN (STATUS …) tells the numbers behind each name', () =>
  play(`
    C: a LIST "" (INBOX Drafts nowhere) RETURN (STATUS (MESSAGES UNSEEN UIDNEXT RECENT) STATUS (MESSAGES) CHILDREN)
    S: * LIST (\\HasNoChildren \\Drafts) "/" Drafts
    S: * STATUS Drafts (MESSAGES 0 UNSEEN 0 UIDNEXT 1 RECENT 0)
    S: * LIST (\\HasNoChildren) "/" INBOX
    S: * STATUS INBOX (MESSAGES 1 UNSEEN 1 UIDNEXT 2 RECENT 1)
    S: a OK Listed
  `))

const refused = [
  '(X-NONE) "" *',
  '(RECURSIVEMATCH) "" *',
  '(RECURSIVEMATCH REMOTE) "" *',
  '(SUBSCRIBED  REMOTE) "" *',
  '(SUBSCRIBED)"" *',
  '"" ()',
  '"" (* )',
  '"" * RETURN',
  '"" * RETURN CHILDREN',
  '"" * RETURN (X-NONE)',
  '"" * RETURN (STATUS)',
  '"" * RETURN (STATUS ())',
  '"" * RETURN (STATUS (X-NONE))',
  '"" * CHILDREN',
  `"" (${'* '.repeat(100)}*)`,
]
for (const text of refused) {
  test(`LIST ${text.slice(0, 40)} is BAD`, () =>
    play(`
      C: a LIST ${text}
      S: a BAD <…>
    `))
}
