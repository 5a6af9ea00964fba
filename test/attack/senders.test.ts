/** SPF, DKIM, DMARC and ARC: who gets round them, and who makes them work for nothing. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { defaultChecks } from '../../src/base/checks-config.ts'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { mapResolver, type RecordMap } from '../../src/dns/map-resolver.ts'
import { KeyCache } from '../../src/mailauth/dkim/key.ts'
import { DkimSigner } from '../../src/mailauth/dkim/signer.ts'
import { evaluateDmarc } from '../../src/mailauth/dmarc/evaluate.ts'
import { type MessageVerdict, MessageVerifier } from '../../src/mailauth/message-verifier.ts'
import { checkSpf } from '../../src/mailauth/spf/check-spf.ts'
import { createSenderJudge } from '../../src/smtp/guard/judge-sender.ts'
import { attackDoor, type Case, fromOutside, mail, quit, rcpt } from './case.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const p = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')
const txt = (...texts: string[]) => ({ TXT: texts })
const zone: RecordMap = {
  'bank.example': txt('v=spf1 ip4:198.51.100.9 -all'),
  'ed._domainkey.bank.example': txt(`v=DKIM1; k=ed25519; p=${p}`),
  '_dmarc.bank.example': txt('v=DMARC1; p=reject'),
  'evil.example': txt('v=spf1 ip4:192.0.2.7 -all'),
  'mail.evil.example': txt('v=spf1 +all'),
  'spf.evil.example': txt('v=spf1 dmarc=pass foo:dmarc=pass'),
  'client.example': txt('v=spf1 +all'),
  '7.2.0.192.in-addr.arpa': { PTR: ['dmarc=pass.evil.example'] },
}
const judge = createSenderJudge({
  ...{ resolver: mapResolver(zone), hostname: 'mail.hamburger.edu', policy: defaultChecks },
  ...{ limits: defaultLimits, clock: systemClock, log: silentLog },
})
const toData = `EHLO mail.evil.example\r\n${mail.replace('client', 'evil')}${rcpt}DATA\r\n`
const letter = (id: string, what: string, header: string, body = 'x'): Case => ({
  ...{ id, what },
  send: `${toData}${header}\r\n\r\n${body}\r\n.\r\n${quit}`,
  codes: '220 250 250 250 354 550 221',
})
/** Filed, but not in INBOX, or in INBOX and said to be of somebody else. */
const junk = (id: string, what: string, header: string): Case => ({
  ...letter(id, what, header),
  codes: '220 250 250 250 354 250 221',
  kept: 1,
  inInbox: 0,
})

async function signed(text: string, more = ''): Promise<string> {
  const signer = new DkimSigner({ headerOctets: 100_000 })
  signer.push(Buffer.from(text, 'latin1'))
  const key = { domain: 'bank.example', selector: 'ed', algorithm: 'ed25519-sha256', privateKey } as const
  return `${more}${(await signer.finish([key], [], 0)).join('')}${text}`
}

attackDoor(
  'Whose letter is it',
  { door: { proxies: ['127.0.0.1'], filters: [judge] } },
  [
    letter('DMARC-01', 'the address alone', 'From: ceo@bank.example'),
    letter('DMARC-02', 'a final dot', 'From: ceo@bank.example.'),
    letter('DMARC-03', 'capitals', 'FROM: CEO@BANK.EXAMPLE'),
    letter('DMARC-04', 'a blank before the colon', 'From : ceo@bank.example'),
    letter('DMARC-05', 'folded', 'From:\r\n ceo\r\n @bank.example'),
    letter('DMARC-06', 'comments', 'From: (a)ceo@(b)bank.example(c)'),
    letter('DMARC-07', 'full-width letters', 'From: ceo@\xef\xbd\x82ank.example'),
    letter('DMARC-08', 'a quoted domain', 'From: ceo@"bank.example"'),
    letter('DMARC-09', 'a route over our own domain', 'From: <@hamburger.edu:ceo@bank.example>'),
    letter('DMARC-10', 'in a group', 'From: us: ceo@bank.example;'),
    letter('DMARC-11', 'a subdomain that does not exist', 'From: ceo@x.bank.example'),
    letter('DMARC-12', 'eight labels below it', 'From: ceo@a.b.c.d.e.f.g.h.bank.example'),
    letter('DMARC-13', 'two fields', 'From: x@evil.example\r\nFrom: ceo@bank.example'),
    letter('DMARC-14', 'two fields, one empty', 'From:\r\nFrom: ceo@bank.example'),
    letter(
      'DMARC-15',
      'a forged pass of ours',
      'Authentication-Results: mail.hamburger.edu; dmarc=pass\r\nFrom: ceo@bank.example',
    ),
    letter(
      'DMARC-16',
      'an ARC chain of one’s own making',
      'ARC-Seal: i=1; a=rsa-sha256; cv=none; d=evil.example; s=s; b=AAAA\r\nARC-Message-Signature: i=1; a=rsa-sha256; d=evil.example; s=s; h=from; bh=AAAA; b=AAAA\r\nARC-Authentication-Results: i=1; mail.hamburger.edu; dmarc=pass\r\nFrom: ceo@bank.example',
    ),
    junk('DMARC-17', 'a second author', 'From: ceo@bank.example, x@evil.example'),
    junk('DMARC-18', 'a first author', 'From: x@evil.example, ceo@bank.example'),
    junk('DMARC-19', 'an address in quotes is no address, and looks like one', 'From: "ceo@bank.example"'),
    junk('DMARC-20', 'an encoded word that looks like an address', 'From: =?utf-8?q?ceo=40bank.example?='),
    junk('DMARC-21', 'a domain in brackets', 'From: ceo@[bank.example]'),
    letter('DMARC-22', 'blanks around the dots', 'From: ceo@bank .example .'),
    junk('DMARC-38', 'two addresses in brackets', 'From: <x@evil.example> <ceo@bank.example>'),
    junk(
      'DMARC-39',
      'a bracket that is never closed',
      'From: x@evil.example <ceo@bank.example, <x@evil.example>',
    ),
    junk('DMARC-40', 'words after the bracket', 'From: <x@evil.example>ceo@bank.example'),
    junk('DMARC-41', 'two signs', 'From: ceo@bank.example@evil.example'),
    letter('DMARC-42', 'a fold before the colon', 'To: x@evil.example\r\nFrom\r\n : ceo@bank.example'),
    letter(
      'DMARC-43',
      'two fields, one with a fold before the colon',
      'To: x@evil.example\r\nFrom\r\n : x@evil.example\r\nFrom: ceo@bank.example',
    ),
    // Each of them took half a minute once, in which nobody else was served.
    junk(
      'DMARC-44',
      'a quote full of quotes that never ends',
      `From: "${`${'\\"'.repeat(10_000)}\r\n `.repeat(6)}<ceo@bank.example@evil.example>`,
    ),
    {
      ...junk('DMARC-45', 'a first line as of a mailbox file', `From ${'a'.repeat(60_000)}\r\nTo: x`),
      inInbox: 1,
    },
    junk('DMARC-23', 'nothing at all in the field', 'From:'),
    {
      ...letter(
        'DMARC-24',
        'a name that is an address: judged by the address, and said whose',
        'From: "ceo@bank.example" <x@evil.example>',
      ),
      ...{
        codes: '220 250 250 250 354 250 221',
        kept: 1,
        copy: /Authentication-Results: mail\.hamburger\.edu;[\s\S]*header\.from=evil\.example/,
      },
    },
    {
      ...letter('DMARC-25', 'a local part that is an address', 'From: "ceo@bank.example"@evil.example'),
      ...{ codes: '220 250 250 250 354 250 221', kept: 1, copy: /header\.from=evil\.example/ },
    },
    {
      id: 'DMARC-26',
      what: 'SPF of HELO does not count for the reverse-path',
      send: `EHLO mail.evil.example\r\nMAIL FROM:<ceo@bank.example>\r\n${rcpt}DATA\r\nFrom: ceo@bank.example\r\n\r\n.\r\n${quit}`,
      codes: '220 250 250 250 354 550 221',
    },
    {
      id: 'DMARC-27',
      what: 'quotes and brackets in the reverse-path write nothing into our verdict',
      send: `EHLO evil.example;dmarc=pass\r\nMAIL FROM:<"a;dmarc=pass header.from=bank.example"@evil.example>\r\n${rcpt}DATA\r\nFrom: x@evil.example\r\n\r\n.\r\n${quit}`,
      codes: '220 250 250 250 354 250 221',
      kept: 1,
      copy: /smtp\.mailfrom=evil\.example;/,
    },
    ...(
      [
        ['the sender', 'mail.evil.example', 'dmarc=pass@evil.example', ''],
        ['HELO', 'dmarc=pass', 'x@evil.example', ''],
        ['a record of SPF', 'mail.evil.example', 'x@spf.evil.example', ''],
        [
          'i= of a signature',
          'mail.evil.example',
          'x@evil.example',
          'd=evil.example; s=s; a=rsa-sha256; i=dmarc=pass@evil.example',
        ],
        ['a= of a signature', 'mail.evil.example', 'x@evil.example', 'd=evil.example; s=s; a=dmarc=pass'],
        [
          'an ARC set',
          'mail.evil.example',
          'x@evil.example',
          'i=dmarc=pass; s=dmarc=pass; d=dmarc=pass; a=dmarc=pass',
        ],
      ] as const
    ).map(
      ([where, helo, path, signature], index): Case => ({
        id: `DMARC-${32 + index}`,
        what: `"dmarc=pass" in ${where} is no verdict of ours, even to who only looks for the words`,
        send: `EHLO ${helo}\r\nMAIL FROM:<${path}>\r\n${rcpt}DATA\r\n${signature === '' ? '' : `DKIM-Signature: v=1; ${signature};\r\n h=from; bh=AAAA; b=AAAA\r\n`}From: x@evil.example\r\n\r\n.\r\n${quit}`,
        codes: '220 250 250 250 354 250 221',
        kept: 1,
        copy: /\r\nAuthentication-Results: mail\.hamburger\.edu;(?!(?:[^\r]|\r\n[ \t])*dmarc=pass)/,
      }),
    ),
  ],
  fromOutside,
)

const limits = { headerOctets: 262_144, headerFields: 1_000, dkimSignatures: 10, arcSets: 50 }

async function verify(
  text: string,
  dns: RecordMap = zone,
): Promise<MessageVerdict & { asked: readonly string[] }> {
  const resolver = mapResolver(dns)
  const verifier = new MessageVerifier({ resolver, keys: new KeyCache(), now: () => 1_000_000 }, limits)
  verifier.push(Buffer.from(text, 'latin1'))
  return { ...(await verifier.finish()), asked: resolver.asked }
}

const plainLetter =
  'From: ceo@bank.example\r\nSubject: your account\r\nContent-Type: text/plain\r\n\r\nall is well\r\n'
/** Signed by somebody who names each field once. */
async function signedOnce(): Promise<string> {
  const text = await signed(plainLetter)
  const { sign } = await import('node:crypto')
  const head = `v=1; a=ed25519-sha256; c=simple/simple; d=bank.example; s=ed; h=from:subject:content-type; bh=${/bh=([^;]*)/.exec(text)![1]!.replace(/\s/g, '')}; b=`
  const hash = (octets: string) =>
    import('node:crypto').then(({ createHash }) => createHash('sha256').update(octets).digest())
  const body = (await hash('all is well\r\n')).toString('base64')
  const field = `DKIM-Signature: ${head.replace(/bh=[^;]*/, `bh=${body}`)}`
  const input = `${plainLetter.slice(0, plainLetter.indexOf('\r\n\r\n') + 2)}${field}`
  return `${field}${sign(null, await hash(input), privateKey).toString('base64')}\r\n${plainLetter}`
}

test('DKIM-01 a letter that was signed with each field once verifies as it is', async () => {
  assert.equal((await verify(await signedOnce())).dkim[0]?.result, 'pass')
})

for (const [id, added] of [
  ['DKIM-02', 'Subject: transfer your money'],
  ['DKIM-03', 'Content-Type: text/html'],
  ['DKIM-04', 'From: ceo@bank.example'],
] as const) {
  test(`${id} "${added}" added above it does not pass for signed`, async () => {
    const { dkim } = await verify(`${added}\r\n${await signedOnce()}`)
    assert.equal(dkim[0]?.result, 'policy')
    assert.match(dkim[0]?.reason ?? '', /^not every [a-z-]+ field is signed$/)
  })
}

for (const [id, added] of [
  ['DKIM-05', 'Subject: x'],
  ['DKIM-06', 'From: x@evil.example'],
  ['DKIM-07', 'Content-Type: text/html'],
  ['DKIM-08', 'Reply-To: x@evil.example'],
  ['DKIM-09', 'Date: Mon, 1 Jan 2024 00:00:00 +0000'],
  ['DKIM-10', 'To: everybody@x.example'],
  ['DKIM-11', 'Sender: x@evil.example'],
  ['DKIM-12', 'MIME-Version: 1.0'],
  ['DKIM-13', 'Content-Transfer-Encoding: base64'],
] as const) {
  test(`${id} what we sign fails when "${added}" is added`, async () => {
    assert.equal((await verify(await signed(plainLetter))).dkim[0]?.result, 'pass')
    assert.equal((await verify(await signed(plainLetter, `${added}\r\n`))).dkim[0]?.result, 'fail')
  })
}

/** Signatures that look well formed, each asking for something else. */
const bomb = (count: number, of: (index: number) => string): string =>
  Array.from(
    { length: count },
    (_, index) => `DKIM-Signature: v=1; a=rsa-sha256; h=from; bh=AAAA; b=AAAA; ${of(index)}\r\n`,
  ).join('')

test('DKIM-14 of a thousand signatures ten keys are asked for', async () => {
  const { dkim, dkimSkipped, asked } = await verify(
    bomb(990, (index) => `d=d${index}.example; s=s`) + plainLetter,
  )
  assert.equal(dkim.length, 10)
  assert.equal(dkimSkipped, 980)
  assert.equal(asked.length, 10)
})

test('DKIM-15 of ten lengths two are hashed', async () => {
  const { dkim } = await verify(bomb(10, (index) => `d=bank.example; s=ed; l=${index}`) + plainLetter)
  assert.equal(dkim.filter(({ reason }) => reason === 'too many different l=').length, 8)
})

test('DKIM-16 a name that leads to itself ends as a failure of DNS', async () => {
  const dns: RecordMap = { 's._domainkey.loop.example': { CNAME: ['s._domainkey.loop.example'] } }
  const { dkim } = await verify(bomb(1, () => 'd=loop.example; s=s') + plainLetter, dns)
  assert.equal(dkim[0]?.result, 'temperror')
})

for (const [id, what, record] of [
  ['DKIM-17', 'ten thousand tags', `v=DKIM1; ${'x=y; '.repeat(10_000)}p=${p}`],
  ['DKIM-18', 'a key of a megabyte', `v=DKIM1; p=${'A'.repeat(1_000_000)}`],
  ['DKIM-19', 'a key of blanks', `v=DKIM1; p=${' '.repeat(50_000)}`],
  ['DKIM-20', 'equals signs', '='.repeat(50_000)],
] as const) {
  test(`${id} a key record of ${what} is none`, async () => {
    const dns: RecordMap = { 's._domainkey.bomb.example': txt(record) }
    const { dkim } = await verify(bomb(10, () => 'd=bomb.example; s=s') + plainLetter, dns)
    assert.equal(dkim[0]?.result, 'permerror')
  })
}

for (const [id, tags] of [
  ['DKIM-21', 'd=bank.example; s=ed; i=@evil.example'],
  ['DKIM-22', 'd=bank.example; s=ed; d=evil.example'],
  ['DKIM-23', 'd=bank.example; s=ed; t=2; x=1'],
  ['DKIM-24', 'd=bank.example; s=ed; l=-1'],
  ['DKIM-25', 'd=bank.example; s=ed; c=none/none'],
  ['DKIM-26', 'd=bank..example; s=ed'],
  ['DKIM-27', 'd=bank.example; s=ed\0'],
  ['DKIM-28', `d=${'a.'.repeat(200)}example; s=ed`],
  ['DKIM-29', 'd=bank.example; s=../../x'],
] as const) {
  test(`${id} a signature with ${JSON.stringify(tags.slice(0, 50))} is void, and no key is asked for`, async () => {
    const { dkim, asked } = await verify(bomb(1, () => tags) + plainLetter)
    assert.equal(dkim[0]?.result, 'neutral')
    assert.deepEqual(asked, [])
  })
}

const arcSet = (instance: number): string =>
  `ARC-Seal: i=${instance}; a=rsa-sha256; cv=${instance === 1 ? 'none' : 'pass'}; d=d${instance}.example; s=s; b=AAAA\r\n` +
  `ARC-Message-Signature: i=${instance}; a=rsa-sha256; d=d${instance}.example; s=s; h=from; bh=AAAA; b=AAAA\r\n` +
  `ARC-Authentication-Results: i=${instance}; mx.example; dmarc=pass\r\n`

for (const [id, what, header, asks] of [
  ['ARC-01', 'a thousand sets', Array.from({ length: 330 }, (_, index) => arcSet(index + 1)).join(''), 0],
  ['ARC-02', 'the same set fifty times', arcSet(1).repeat(50), 0],
  ['ARC-03', 'a set without its seal', arcSet(1).replace(/^ARC-Seal.*\r\n/, ''), 0],
  ['ARC-04', 'a gap', arcSet(1) + arcSet(3), 0],
  ['ARC-05', 'a chain that says it failed', arcSet(1).replace('cv=none', 'cv=fail'), 0],
  ['ARC-06', 'instance 0', arcSet(0), 0],
  [
    'ARC-07',
    'fifty sets whose keys are nowhere',
    Array.from({ length: 50 }, (_, index) => arcSet(index + 1)).join(''),
    51,
  ],
] as const) {
  test(`${id} ${what}: the chain fails after ${asks} questions`, async () => {
    const { arc, asked } = await verify(header + plainLetter)
    assert.equal(arc.result, 'fail')
    assert.equal(asked.length, asks)
  })
}

async function spf(records: RecordMap, reversePath = 'x@evil.example', address = '192.0.2.7') {
  const resolver = mapResolver(records)
  const world = { resolver, hostname: 'mail.hamburger.edu', now: () => 0 }
  const found = await checkSpf(world, { address, helo: 'mail.evil.example', reversePath })
  return { ...found, asked: resolver.asked }
}
const chain = (count: number, of: (index: number) => string): RecordMap => ({
  'evil.example': txt(`v=spf1 ${of(0)}`),
  ...Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`i${index}.example`, txt(`v=spf1 ${of(index + 1)}`)]),
  ),
})

/** [records, most questions] */
const spfBombs: readonly (readonly [id: string, what: string, records: RecordMap, asks: number])[] = [
  [
    'SPF-01',
    'a record that includes itself',
    { 'evil.example': txt('v=spf1 include:evil.example -all') },
    11,
  ],
  ['SPF-02', 'a redirect to itself', { 'evil.example': txt('v=spf1 redirect=evil.example') }, 11],
  ['SPF-03', 'a chain of a hundred includes', chain(100, (index) => `include:i${index}.example -all`), 11],
  ['SPF-04', 'a chain of a hundred redirects', chain(100, (index) => `redirect=i${index}.example`), 11],
  [
    'SPF-05',
    'a thousand names that do not exist',
    {
      'evil.example': txt(
        `v=spf1 ${Array.from({ length: 300 }, (_, i) => `a:v${i}.example`).join(' ')} -all`,
      ),
    },
    4,
  ],
  [
    'SPF-06',
    'a hundred exists with macros',
    { 'evil.example': txt(`v=spf1 ${'exists:%{ir}.%{l}.x.example '.repeat(100)}-all`) },
    4,
  ],
  [
    'SPF-07',
    'ten mx with a hundred hosts each',
    {
      'evil.example': {
        TXT: [`v=spf1 ${'mx '.repeat(10)}-all`],
        MX: Array.from({ length: 100 }, (_, i) => ({ preference: 1, exchange: `m${i}.example` })),
      },
    },
    3,
  ],
  [
    'SPF-08',
    'a record longer than any',
    { 'evil.example': txt(`v=spf1 ${'ip4:192.0.2.1 '.repeat(5_000)}-all`) },
    1,
  ],
  ['SPF-09', 'two records', { 'evil.example': txt('v=spf1 +all', 'v=spf1 +all') }, 1],
  ['SPF-10', 'an unknown mechanism before +all', { 'evil.example': txt('v=spf1 foo +all') }, 1],
  ['SPF-11', 'an include of what is no domain', { 'evil.example': txt('v=spf1 include: +all') }, 1],
  ['SPF-12', 'octets over 127', { 'evil.example': txt('v=spf1 \xff +all') }, 1],
  [
    'SPF-13',
    'includes side by side, each with includes',
    Object.fromEntries(
      ['evil', ...Array.from({ length: 10 }, (_, i) => `i${i}`)].map((name) => [
        `${name}.example`,
        txt(`v=spf1 ${Array.from({ length: 10 }, (_, i) => `include:i${i}.example`).join(' ')} -all`),
      ]),
    ),
    11,
  ],
]
for (const [id, what, records, asks] of spfBombs) {
  test(`${id} ${what}: a permanent error after ${asks} questions at most`, async () => {
    const { result, asked } = await spf(records)
    assert.equal(result, 'permerror')
    assert.ok(asked.length <= asks, `${asked.length} questions`)
  })
}

test('SPF-14 ptr with ten thousand names asks for ten of them, and a forged name passes nothing', async () => {
  const PTR = Array.from({ length: 10_000 }, (_, index) => `h${index}.bank.example`)
  const { result, asked } = await spf({
    'evil.example': txt('v=spf1 ptr:bank.example -all'),
    '7.2.0.192.in-addr.arpa': { PTR },
  })
  assert.equal(result, 'fail')
  assert.ok(asked.length <= 12)
})

test('SPF-15 a local part full of dots and percent signs makes no question longer than a name may be', async () => {
  const records = { 'evil.example': txt('v=spf1 exists:%{l}.%{d} -all') }
  for (const local of ['a.'.repeat(31) + 'a', '%{i}', '"..."', 'x'.repeat(64)]) {
    const { asked } = await spf(records, `${local}@evil.example`)
    assert.ok(
      asked.every(
        (question) =>
          (question.length < 260 && !/[%"]/.test(question)) || /%/.test(question) === local.includes('%'),
      ),
    )
  }
})

const noEvidence = { spf: null, dkim: [] }
for (const [id, what, record] of [
  ['DMARC-28', 'a public suffix that claims all below it', 'v=DMARC1; p=reject; psd=y'],
  ['DMARC-29', 'ten thousand tags', `v=DMARC1; ${'x=y;'.repeat(10_000)} p=reject`],
  ['DMARC-30', 'a policy twice: the first counts', 'v=DMARC1; p=none; p=reject'],
  [
    'DMARC-31',
    'reports to thousands',
    `v=DMARC1; p=none; rua=${Array.from({ length: 1_000 }, (_, i) => `mailto:a${i}@x.example`).join(',')}`,
  ],
] as const) {
  test(`${id} a record with ${what} costs eight questions at most, and ends`, async () => {
    const resolver = mapResolver({ '_dmarc.example': txt(record) })
    const found = await evaluateDmarc(resolver, {
      authorDomain: `${'a.'.repeat(100)}evil.example`,
      ...noEvidence,
    })
    assert.ok(resolver.asked.length <= 10)
    assert.ok((found.record?.length ?? 0) <= 4_096)
    assert.notEqual(found.result, 'pass')
  })
}
