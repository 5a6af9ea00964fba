/** In whose name a letter is written: what those who hand in may say, and what strangers may not. */
import { attackDoor, type Case, logIn, quit, toData } from './case.ts'

const own = 'MAIL FROM:<bob@hamburger.edu>\r\nRCPT TO:<bob@hamburger.edu>\r\nDATA\r\n'
const refused = (id: string, what: string, header: string): Case => ({
  ...{ id, what },
  send: `${logIn}${own}${header}\r\nSubject: x\r\n\r\nx\r\n.\r\n${quit}`,
  codes: '220 250 235 250 250 354 550 221',
  heard:
    /550 5\.7\.1 You are logged in as bob|550 5\.6\.0 Message has (?:more than one|a \w+ field in which)/,
})
const taken = (id: string, what: string, header: string, copy?: RegExp): Case => ({
  ...{ id, what, send: refused(id, what, header).send },
  codes: '220 250 235 250 250 354 250 221',
  kept: 1,
  ...(copy === undefined ? {} : { copy }),
})
const many = Array.from({ length: 2_100 }, (_, index) => `a${index}@x.example`)
/** More than are read of one field. */
const folded = many.join(',\r\n ')

attackDoor('Handing in as another', { door: { role: 'submission' } }, [
  refused('NAME-01', 'the address alone', 'From: carol@hamburger.edu'),
  refused('NAME-02', 'with a name', 'From: "Bob" <carol@hamburger.edu>'),
  refused('NAME-03', 'in capitals', 'FROM: <CAROL@HAMBURGER.EDU>'),
  refused('NAME-04', 'a blank before the colon', 'From : carol@hamburger.edu'),
  refused('NAME-05', 'folded at once', 'From:\r\n carol@hamburger.edu'),
  refused('NAME-06', 'folded inside the address', 'From: carol\r\n @hamburger.edu'),
  refused('NAME-07', 'with comments', 'From: (a)carol(b)@(c)hamburger.edu(d)'),
  refused('NAME-08', 'a quoted local part', 'From: "carol"@hamburger.edu'),
  refused('NAME-09', 'a quoted pair', 'From: "c\\arol"@hamburger.edu'),
  refused('NAME-10', 'a final dot', 'From: carol@hamburger.edu.'),
  refused('NAME-11', 'in a group', 'From: cooks: carol@hamburger.edu;'),
  refused('NAME-12', 'behind an empty group', 'From: cooks:; , carol@hamburger.edu'),
  refused('NAME-13', 'with a route', 'From: <@x.example,@y.example:carol@hamburger.edu>'),
  refused('NAME-14', 'behind bob', 'From: bob@hamburger.edu, carol@hamburger.edu'),
  refused('NAME-15', 'behind somebody elsewhere', 'From: ada@x.example, carol@hamburger.edu'),
  refused('NAME-16', 'with a detail', 'From: carol+x@hamburger.edu'),
  refused('NAME-17', 'as Sender', 'From: bob@hamburger.edu\r\nSender: carol@hamburger.edu'),
  refused(
    'NAME-18',
    'as a second Sender',
    'From: bob@hamburger.edu\r\nSender: bob@hamburger.edu\r\nSender: carol@hamburger.edu',
  ),
  refused('NAME-19', 'as Resent-From', 'From: bob@hamburger.edu\r\nResent-From: carol@hamburger.edu'),
  refused(
    'NAME-20',
    'as Resent-Sender',
    'From: bob@hamburger.edu\r\nResent-From: bob@hamburger.edu\r\nResent-Sender: carol@hamburger.edu',
  ),
  refused('NAME-21', 'two From fields', 'From: bob@hamburger.edu\r\nFrom: carol@hamburger.edu'),
  refused(
    'NAME-22',
    'two From fields in other letters',
    'From: bob@hamburger.edu\r\nfROM : carol@hamburger.edu',
  ),
  refused(
    'NAME-23',
    'behind ten thousand recipients',
    `${`To: ${folded}\r\n`.repeat(5)}From: carol@hamburger.edu`,
  ),
  refused('NAME-24', 'behind two thousand authors', `From: ${folded},\r\n carol@hamburger.edu`),
  refused(
    'NAME-25',
    'behind two thousand reply addresses',
    `Reply-To: ${folded}\r\nFrom: carol@hamburger.edu`,
  ),
  refused('NAME-26', 'nobody of ours', 'From: nobody@hamburger.edu'),
  refused('NAME-27', 'an address that is its own name', 'From: carol@hamburger.edu <carol@hamburger.edu>'),
  refused('NAME-28', 'without angle brackets behind a name', 'From: Bob carol@hamburger.edu'),
  refused('NAME-29', 'an angle that is never closed', 'From: <carol@hamburger.edu'),
  refused('NAME-30', 'a blank in the domain', 'From: carol@hamburger. edu'),
  refused('NAME-31', 'an empty From above a full one', 'From:\r\nFrom: carol@hamburger.edu'),
  refused('NAME-32', 'a domain in fullwidth letters', 'From: carol@\xef\xbd\x88amburger.edu'),
  refused('NAME-33', 'a quoted domain', 'From: carol@"hamburger.edu"'),
  refused('NAME-46', 'behind a bracket', 'From: <bob@hamburger.edu>carol@hamburger.edu'),
  refused('NAME-47', 'before a second sign', 'From: carol@hamburger.edu@hamburger.edu'),
  refused('NAME-48', 'in a first bracket', 'Sender: <carol@hamburger.edu> <bob@hamburger.edu>'),
  refused('NAME-49', 'a fold before the colon', 'X: y\r\nFrom\r\n : carol@hamburger.edu'),
  taken('NAME-34', 'an address as a name is no address', 'From: "carol@hamburger.edu" <bob@hamburger.edu>'),
  taken('NAME-35', 'nor as an encoded word', 'From: =?utf-8?q?carol=40hamburger.edu?= <bob@hamburger.edu>'),
  taken('NAME-36', 'nor in a comment', 'From: bob@hamburger.edu (carol@hamburger.edu)'),
  taken('NAME-50', 'a name alone', 'From: bob <bob>'),
  taken('NAME-37', 'an alias that leads to bob', 'From: cooks@hamburger.edu'),
  taken(
    'NAME-38',
    'the trace says who handed in, whatever the header says',
    'Return-Path: <carol@hamburger.edu>\r\nReceived: from x by mail.hamburger.edu; Mon, 1 Jan 2024 00:00:00 +0000\r\nFrom: bob@hamburger.edu',
    /^Return-Path: <bob@hamburger\.edu>\r\nReceived: from client\.example/,
  ),
  ...[
    'carol@hamburger.edu',
    'CAROL@hamburger.edu',
    '"carol"@hamburger.edu',
    'nobody@hamburger.edu',
    'ada@x.example',
    '@x.example:carol@hamburger.edu',
    'bob@hamburger.edu.x.example',
  ].map(
    (path, index): Case => ({
      id: `NAME-${39 + index}`,
      what: `MAIL FROM:<${path}>`,
      send: `${logIn}MAIL FROM:<${path}>\r\n${quit}`,
      codes: '220 250 235 550 221',
    }),
  ),
])

const stranger = (id: string, what: string, header: string, checks: Partial<Case>): Case => ({
  ...{ id, what, kept: 1, codes: '220 250 250 250 354 250 221' },
  send: `${toData}${header}Subject: x\r\n\r\nx\r\n.\r\n${quit}`,
  ...checks,
})
const ours = /authentication-results[^\r\n]*mail\.hamburger\.edu/i
const judged = (id: string, what: string, field: string): Case =>
  stranger(id, what, `${field}\r\n`, { nowhere: /dmarc=pass/ })

attackDoor('What strangers say in our name', {}, [
  judged('FORGE-01', 'Authentication-Results', 'Authentication-Results: mail.hamburger.edu; dmarc=pass'),
  judged('FORGE-02', 'in other letters', 'authentication-RESULTS: MAIL.hamburger.EDU; dmarc=pass'),
  judged('FORGE-03', 'a blank before the colon', 'Authentication-Results : mail.hamburger.edu; dmarc=pass'),
  judged('FORGE-04', 'folded before the name', 'Authentication-Results:\r\n mail.hamburger.edu; dmarc=pass'),
  judged(
    'FORGE-20',
    'folded before the colon',
    'X: y\r\nAuthentication-Results\r\n : mail.hamburger.edu; dmarc=pass',
  ),
  judged(
    'FORGE-05',
    'a fold of blanks only',
    'Authentication-Results:\r\n \r\n mail.hamburger.edu; dmarc=pass',
  ),
  judged(
    'FORGE-06',
    'comments, one inside the other',
    'Authentication-Results: (a(b)\\)) mail.hamburger.edu; dmarc=pass',
  ),
  judged('FORGE-07', 'a quoted name', 'Authentication-Results: "mail.hamburger.edu"; dmarc=pass'),
  judged('FORGE-08', 'quoted pairs', 'Authentication-Results: "m\\ail.hamburger.edu"; dmarc=pass'),
  judged('FORGE-09', 'a version', 'Authentication-Results: mail.hamburger.edu 1; dmarc=pass'),
  judged('FORGE-10', 'a final dot', 'Authentication-Results: mail.hamburger.edu.; dmarc=pass'),
  judged(
    'FORGE-11',
    'a comment behind the name',
    'Authentication-Results: mail.hamburger.edu(x); dmarc=pass',
  ),
  judged(
    'FORGE-12',
    'behind a line that is no field',
    'x: y\r\nno field at all\r\nAuthentication-Results: mail.hamburger.edu; dmarc=pass',
  ),
  judged(
    'FORGE-13',
    'twice',
    'Authentication-Results: mail.hamburger.edu; dmarc=pass\r\nx: y\r\nAuthentication-Results: mail.hamburger.edu; dmarc=pass',
  ),
  judged(
    'FORGE-14',
    'a comment that is never closed, and then the name',
    'Authentication-Results: (\r\nAuthentication-Results: mail.hamburger.edu; dmarc=pass',
  ),
  stranger('FORGE-15', 'of somebody else: it stays', 'Authentication-Results: mx.x.example; dkim=pass\r\n', {
    copy: /mx\.x\.example; dkim=pass/,
    nowhere: ours,
  }),
  stranger('FORGE-16', 'Return-Path: ours stands above it', 'Return-Path: <ceo@hamburger.edu>\r\n', {
    copy: /^Return-Path: <ada@client\.example>\r\n/,
  }),
  stranger(
    'FORGE-17',
    'Received: ours stands above it and names the address',
    'Received: from localhost ([127.0.0.1]) by mail.hamburger.edu with ESMTPSA id 1; Mon, 1 Jan 2024 00:00:00 +0000\r\n',
    {
      copy: /^Return-Path: [^\r]*\r\nReceived: from client\.example \(\[127\.0\.0\.1\]\)\s+by mail\.hamburger\.edu with ESMTP\s/,
    },
  ),
  {
    id: 'FORGE-18',
    what: 'two From fields',
    send: `${toData}From: ada@client.example\r\nfrom : ceo@hamburger.edu\r\n\r\nx\r\n.\r\n${quit}`,
    codes: '220 250 250 250 354 550 221',
  },
  {
    id: 'FORGE-19',
    what: 'a header that begins with an empty line is no header: what follows it is text',
    send: `${toData}\r\nAuthentication-Results: mail.hamburger.edu; x=y\r\nFrom: ceo@hamburger.edu\r\n\r\nx\r\n.\r\n${quit}`,
    codes: '220 250 250 250 354 250 221',
    kept: 1,
    copy: /\r\n\r\n(?:\r\n)?Authentication-Results:/,
  },
])
