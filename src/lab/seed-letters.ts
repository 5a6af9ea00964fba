/** The two letters that wait for Bob. The lecture's POP3 dialogue lists them with 498 and 912 octets, so exactly that long they are. */

/** In the order of the dialogue. */
export const seedLetterOctets = [498, 912] as const

const ketchup = `
From: Alice <alice@crepes.fr>
To: Bob <bob@hamburger.edu>
Subject: Ketchup?
Date: Mon, 05 Oct 2026 09:30:00 +0200
Message-ID: <ketchup@crepes.fr>

Dear Bob,

do you like ketchup? How about pickles?

These two questions came as envelope, header and body. The envelope
was spoken between our servers and then thrown away; the header begins with
"From:" and ends with the first empty line; all that follows is the body,
and nobody on the way has looked into it. Or so they say.

Alice
`

const sixSteps = `
From: Alice <alice@crepes.fr>
To: Bob <bob@hamburger.edu>
Subject: Six steps to your table
Date: Mon, 05 Oct 2026 09:45:00 +0200
Message-ID: <six-steps@crepes.fr>

Dear Bob,

you asked how a letter gets from my kitchen to yours. In six steps:

 1. I write it with my user agent, to bob@hamburger.edu.
 2. My agent hands it to my mail server, where it waits in the queue.
 3. My server opens a TCP connection to yours, on port 25.
 4. It sends the letter over that connection, in plain ASCII: HELO, MAIL,
    RCPT, DATA, a dot, QUIT.
 5. Your server puts it into your mailbox.
 6. You read it with your own user agent.

For this last step you may speak POP3 by hand. Say "user bob", then "pass"
and what you are before dinner, then "list", "retr 2", "dele 2"
and "quit". What you delete is gone only after "quit": if the line breaks
before, the letter is still there.

Bon appetit,
Alice
`

/** Octets of the two letters, lines ended by CRLF. */
export function seedLetters(): Buffer[] {
  return [ketchup, sixSteps].map((text) => Buffer.from(text.slice(1).replaceAll('\n', '\r\n'), 'latin1'))
}
