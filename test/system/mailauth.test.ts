/** What we sign, OpenDKIM and dkimpy verify; what dkimpy signs, we do; of SPF pyspf thinks as we do. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { WantedRecord } from '../../src/admin/dns-records.ts'
import { mapResolver, type RecordMap } from '../../src/dns/map-resolver.ts'
import { verifyMessage, withCrlf } from '../../src/mailauth/verify-fixture.ts'
import { checkSpf } from '../../src/mailauth/spf/check-spf.ts'
import { startOwnServer, until } from '../harness/foreign.ts'
import { runProgram } from '../harness/lab.ts'
import { startOpenDkimVerifier } from '../harness/milters.ts'
import { freePort } from '../harness/ports.ts'
import { requirePrograms, unpackedEnvironment, unpackServer } from '../harness/programs.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'
import { temporaryFolder } from '../harness/temp.ts'

interface Judged {
  readonly dkim: string[][]
  readonly sign: string[]
  readonly seal: string[]
  readonly arc: string[]
  readonly spf: string[]
}

/** Debian's python3: the packages have compiled parts. */
const python = '/usr/bin/python3'

/** @returns Null when the test has been skipped. */
async function judgeElsewhere(t: TestContext): Promise<((asked: object) => Promise<Judged>) | null> {
  if (!(await requirePrograms({ debian: { [python]: 'python3' } }, t))) return null
  const root = await unpackServer('mailauth', ['python3-dkim', 'python3-spf', 'python3-nacl'], t)
  if (root === null) return null
  const env = { ...unpackedEnvironment(root), PYTHONPATH: join(root, 'usr/lib/python3/dist-packages') }
  return async (asked) => {
    const program = join(import.meta.dirname, 'mailauth', 'judge.py')
    const ran = await runProgram(python, [program], { env, input: JSON.stringify(asked) })
    assert.equal(ran.code, 0, ran.stderr)
    return JSON.parse(ran.stdout) as Judged
  }
}

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64')

test('what our submission signs, OpenDKIM and dkimpy verify at the other end', async (t: TestContext) => {
  const judge = await judgeElsewhere(t)
  if (judge === null) return
  const smtpPort = await freePort()
  const routes = { 'hamburger.edu': await freePort() }
  const own = await startOwnServer(t, 'crepes.example', { smtpPort, routes })
  const { records } = JSON.parse(await own.run('domain', 'dns', 'crepes.example', '--json'))
  const keys = (records as WantedRecord[]).filter(({ purpose }) => purpose === 'dkim')
  assert.equal(keys.length, 2)
  const txt = Object.fromEntries(keys.map(({ name, value }) => [name, value]))
  const openDkim = await startOpenDkimVerifier(t, temporaryFolder(t), txt)
  if (openDkim === null) return
  const door = await openSmtpDoor({ door: { filters: [openDkim] }, port: routes['hamburger.edu'] })
  t.after(() => door.close())

  const texts = [
    'From: alice@crepes.example\nTo: bob@hamburger.edu\nSubject: plain\n\nHello\n',
    'From: "A"  <alice@crepes.example>\nSubject: folded\n  and   spaced \nTo: bob@hamburger.edu\n\n.dot\n\ntwo  spaces \n\n\n',
    'From: alice@crepes.example\nSubject: nothing below\nTo: bob@hamburger.edu\n\n',
    `From: alice@crepes.example\nSubject: long\nTo: bob@hamburger.edu\n\n${'a line of text\n'.repeat(5_000)}`,
    'From: alice@crepes.example\nSubject: Crêpes\nTo: bob@hamburger.edu\n\nÀ bientôt\n',
  ]
  for (const text of texts) await own.submit({ to: 'bob@hamburger.edu', text })
  const arrived = await until('the letters', async () => {
    const found = await door.inbox('bob@hamburger.edu')
    return found.length === texts.length && found
  })
  const cases = arrived.map((message) => ({ message: base64(message), txt }))
  const { dkim } = await judge({ dkim: cases })
  for (const [n, letter] of arrived.entries()) {
    assert.deepEqual(dkim[n], ['pass', 'pass'], letter)
    assert.match(
      letter,
      /^Authentication-Results: mx\.posthorn\.example;[\s\S]*?dkim=pass \(2048-bit key;?[\s\S]*?crepes\.example/m,
    )
    assert.doesNotMatch(letter, /dkim=(?:fail|permerror|neutral)/)
  }
  const spoilt = arrived.map((message) => ({ message: base64(`${message}more\r\n`), txt }))
  for (const verdicts of (await judge({ dkim: spoilt })).dkim) {
    assert.ok(!verdicts.includes('pass'), JSON.stringify(verdicts))
  }
})

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ed = generateKeyPairSync('ed25519')
const domain = 'crepes.example'
const edOctets = (part: Buffer): string => part.subarray(-32).toString('base64')
const txt = {
  [`rsa._domainkey.${domain}`]: `v=DKIM1; k=rsa; p=${rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`,
  [`ed._domainkey.${domain}`]: `v=DKIM1; k=ed25519; p=${edOctets(ed.publicKey.export({ type: 'spki', format: 'der' }))}`,
}
const signers = [
  {
    ...{ selector: 'rsa', algorithm: 'rsa-sha256' },
    key: rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  },
  {
    ...{ selector: 'ed', algorithm: 'ed25519-sha256' },
    key: edOctets(ed.privateKey.export({ type: 'pkcs8', format: 'der' })),
  },
]

test('dkimpy and we agree on what dkimpy signs, whole and spoilt', async (t: TestContext) => {
  const judge = await judgeElsewhere(t)
  if (judge === null) return
  const texts = [
    'From: Alice <alice@crepes.example>\nTo: bob@hamburger.edu\nSubject: Do you like\n\tketchup?\n\nHello  Bob \n\n\n',
    'From:alice@crepes.example\nSubject:  x\nSubject: y\nDate: Mon, 23 Nov 2026 09:00:00 +0000\n\n',
    'From: alice@crepes.example\nSubject: =?utf-8?q?=C3=BC?=\nMIME-Version: 1.0\n\n \n\t\nü\n.\n',
  ].map((text) => Buffer.from(withCrlf(text)).toString('latin1'))
  const asked = texts.flatMap((text) =>
    signers.flatMap((signer) =>
      ['simple', 'relaxed'].flatMap((header) =>
        ['simple', 'relaxed'].map((body) => ({
          ...{ message: base64(text), domain, length: false, canonicalize: [header, body] },
          ...signer,
        })),
      ),
    ),
  )
  const signed = (await judge({ sign: asked })).sign.map((text) =>
    Buffer.from(text, 'base64').toString('latin1'),
  )
  const spoilers: ((text: string) => string)[] = [
    (text) => text,
    (text) => `${text}x\r\n`,
    (text) => `${text}\r\n\r\n`,
    (text) => text.replace('Subject:', 'subject: '),
    (text) => text.replace(/(\r\nSubject: .*)\r\n/, '$1 \r\n'),
    (text) => text.replace(/(\r\nFrom:.*\r\n)/, '$1From: eve@example.com\r\n'),
    (text) => text.replace('Hello  Bob', 'Hello Bob'),
    (text) => text.replace(/ b=(.)/, (_all, first: string) => ` b=${first === 'A' ? 'B' : 'A'}`),
    (text) => text.replace('d=crepes.example', 'd=other.example'),
    (text) => `Received: from x\r\n${text}`,
  ]
  const cases = signed.flatMap((text) => spoilers.map((spoil) => spoil(text)))
  const theirs = (await judge({ dkim: cases.map((message) => ({ message: base64(message), txt })) })).dkim
  let passed = 0
  for (const [n, message] of cases.entries()) {
    const { dkim } = await verifyMessage(message, txt, { now: Date.now() })
    const ours = dkim.map(({ result }) => (result === 'pass' ? 'pass' : 'no'))
    assert.deepEqual(
      ours,
      theirs[n]!.map((verdict) => (verdict === 'pass' ? 'pass' : 'no')),
      `${JSON.stringify(dkim)} here, ${theirs[n]} there, of\n${message}`,
    )
    passed += ours.filter((verdict) => verdict === 'pass').length
  }
  assert.ok(passed > signed.length && passed < cases.length, `${passed} of ${cases.length}`)
})

test('dkimpy and we agree on ARC chains that dkimpy seals, whole and spoilt', async (t: TestContext) => {
  const judge = await judgeElsewhere(t)
  if (judge === null) return
  const text = withCrlf('From: alice@crepes.example\nTo: list@one.example\nSubject: [list] hello\n\nHello\n')
  const sealers = ['one.example', 'two.example', 'three.example']
  const record = txt[`rsa._domainkey.${domain}`]!
  const known = Object.fromEntries(sealers.map((name) => [`rsa._domainkey.${name}`, record]))
  const asked = [1, 2, 3].map((count) => ({
    ...{ message: base64(text), key: signers[0]!.key, selector: 'rsa', domains: sealers.slice(0, count) },
  }))
  const sealed = (await judge({ seal: asked })).seal.map((one) =>
    Buffer.from(one, 'base64').toString('latin1'),
  )
  const spoilers: ((text: string) => string)[] = [
    (whole) => whole,
    (whole) => `${whole}footer\r\n`,
    (whole) => whole.replace('[list] hello', 'hello'),
    (whole) => whole.replace(/^(ARC-Authentication-Results: i=1;.*)spf=pass/m, '$1spf=fail'),
    (whole) => whole.replace(/^ARC-Seal: i=1;(?:.*\r\n)(?:[ \t].*\r\n)*/m, ''),
    (whole) => whole.replace(/^ARC-Authentication-Results: i=1;(?:.*\r\n)(?:[ \t].*\r\n)*/m, '$&$&'),
    (whole) => whole.replaceAll('cv=none', 'cv=pass'),
    (whole) => `Received: from x\r\n${whole}`,
  ]
  const cases = [text, ...sealed.flatMap((whole) => spoilers.map((spoil) => spoil(whole)))]
  const theirs = (await judge({ arc: cases.map((message) => ({ message: base64(message), txt: known })) }))
    .arc
  const counts = new Map<string, number>()
  for (const [n, message] of cases.entries()) {
    const { arc } = await verifyMessage(message, known, { now: Date.now() })
    assert.equal(arc.result, theirs[n], `${arc.reason} of\n${message}`)
    counts.set(arc.result, (counts.get(arc.result) ?? 0) + 1)
  }
  assert.deepEqual(Object.fromEntries(counts), { none: 1, pass: 6, fail: 18 })
})

const spfZones: RecordMap = {
  'ip.example': { TXT: ['v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all'] },
  'soft.example': {
    TXT: ['v=spf1 a mx ~all'],
    A: ['192.0.2.1'],
    MX: [{ preference: 1, exchange: 'mx.soft.example' }],
  },
  'mx.soft.example': { A: ['198.51.100.1'], AAAA: ['2001:db8:1::1'] },
  'neutral.example': { TXT: ['v=spf1 ?all'] },
  'none.example': { TXT: ['hello'], A: ['192.0.2.1'] },
  'empty.example': { TXT: ['v=spf1'] },
  'two.example': { TXT: ['v=spf1 -all', 'v=spf1 +all'] },
  'bad.example': { TXT: ['v=spf1 ip4:300.1.1.1 -all'] },
  'unknown.example': { TXT: ['v=spf1 ipx:1 -all'] },
  'include.example': { TXT: ['v=spf1 include:ip.example ?all'] },
  'include-none.example': { TXT: ['v=spf1 include:none.example -all'] },
  'redirect.example': { TXT: ['v=spf1 redirect=ip.example'] },
  'redirect-none.example': { TXT: ['v=spf1 redirect=nothing.example'] },
  'loop.example': { TXT: ['v=spf1 include:loop.example -all'] },
  'exists.example': { TXT: ['v=spf1 exists:%{ir}.%{l1r-}.list.example -all'] },
  '1.2.0.192.alice.list.example': { A: ['127.0.0.2'] },
  'deep.example': {
    TXT: [`v=spf1 ${Array.from({ length: 11 }, (_, n) => `a:h${n}.example`).join(' ')} -all`],
  },
  'void.example': { TXT: ['v=spf1 a:no1.example a:no2.example a:no3.example ip4:192.0.2.1 -all'] },
  'cidr.example': { TXT: ['v=spf1 a:mx.soft.example/24//48 -all'] },
  'case.example': { TXT: ['V=SPF1 IP4:192.0.2.1 -ALL'] },
  'ptr.example': { TXT: ['v=spf1 ptr -all'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['host.ptr.example'] },
  'host.ptr.example': { A: ['192.0.2.1'] },
}
for (let n = 0; n < 11; n++)
  (spfZones as Record<string, unknown>)[`h${n}.example`] = { A: [`203.0.113.${n}`] }

test('pyspf and we agree on who may send', async (t: TestContext) => {
  const judge = await judgeElsewhere(t)
  if (judge === null) return
  const domains = Object.keys(spfZones).filter((name) => /^[a-z-]+\.example$/.test(name))
  const addresses = [
    '192.0.2.1',
    '192.0.2.77',
    '198.51.100.1',
    '198.51.100.200',
    '203.0.113.9',
    '2001:db8::1',
    '2001:db8:1::2',
  ]
  const questions = [...domains, 'nothing.example'].flatMap((name) =>
    addresses.map((address) => ({ address, sender: `alice-x@${name}`, helo: 'mail.helo.example' })),
  )
  const theirs = (await judge({ spf: { zones: spfZones, questions } })).spf
  const world = { hostname: 'mx.hamburger.example', now: () => Date.now() }
  const differing: string[] = []
  const seen = new Set<string>()
  for (const [n, { address, sender, helo }] of questions.entries()) {
    const at = { address, helo, reversePath: sender }
    const { result } = await checkSpf({ ...world, resolver: mapResolver(spfZones) }, at)
    seen.add(result)
    if (result !== theirs[n]) differing.push(`${sender} from ${address}: ${result} here, ${theirs[n]} there`)
  }
  assert.deepEqual(differing, [])
  assert.deepEqual([...seen].sort(), ['fail', 'neutral', 'none', 'pass', 'permerror', 'softfail'])
})
