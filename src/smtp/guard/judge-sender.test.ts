import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { type ChecksConfig, defaultChecks } from '../../base/checks-config.ts'
import { FakeClock } from '../../base/clock.ts'
import { defaultLimits } from '../../base/limits.ts'
import { silentLog } from '../../base/log.ts'
import { mapResolver, type RecordMap } from '../../dns/map-resolver.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { EventData } from '../../journey/event.ts'
import { sealMessage } from '../../mailauth/arc/seal-fixture.ts'
import { DkimSigner } from '../../mailauth/dkim/signer.ts'
import type { FilterClient, FilterEnding } from '../filter/filter.ts'
import { Refusal } from '../wire/reply.ts'
import { createSenderJudge, type JudgedMessage } from './judge-sender.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const p = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')
const txt = (text: string) => ({ TXT: [text] })
const zone: RecordMap = {
  'crepes.example': txt('v=spf1 ip4:192.0.2.1 -all'),
  'mail.crepes.example': { A: ['192.0.2.1'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['mail.crepes.example'] },
  'ed._domainkey.crepes.example': txt(`v=DKIM1; k=ed25519; p=${p}`),
  '_dmarc.crepes.example': txt('v=DMARC1; p=reject; sp=quarantine'),
}
const letter = 'From: alice@crepes.example\r\nSubject: Ketchup\r\n\r\nDo you like ketchup?\r\n'

async function signed(text: string): Promise<string> {
  const signer = new DkimSigner({ headerOctets: 10_000 })
  signer.push(Buffer.from(text, 'latin1'))
  const key = { domain: 'crepes.example', selector: 'ed', algorithm: 'ed25519-sha256', privateKey } as const
  return (await signer.finish([key], [], 0)).join('') + text
}

interface Sent {
  readonly message?: string
  readonly reversePath?: string
  readonly remoteAddress?: string
  readonly trusted?: boolean
  readonly role?: FilterClient['role']
  readonly policy?: Partial<ChecksConfig>
  readonly resolver?: Resolver
  readonly dns?: RecordMap
  readonly clock?: FakeClock
}

interface Judged extends FilterEnding {
  readonly events: readonly (EventData & { kind: string })[]
  readonly reply: string | null
  readonly asked: readonly string[]
  readonly judgements: readonly JudgedMessage[]
  /** After its end. */
  readonly waitedMs?: number
}

async function judge(sent: Sent): Promise<Judged> {
  const { message = letter, reversePath = 'alice@crepes.example', clock = new FakeClock() } = sent
  const own = mapResolver({ ...zone, ...sent.dns })
  const events: (EventData & { kind: string })[] = []
  const judgeOptions = { hostname: 'mx.hamburger.example', limits: defaultLimits, clock, log: silentLog }
  const policy = { ...defaultChecks, ...sent.policy }
  const judgements: JudgedMessage[] = []
  const judged = (judgement: JudgedMessage): void => void judgements.push(judgement)
  const filter = createSenderJudge({ ...judgeOptions, resolver: sent.resolver ?? own, policy, judged })
  const session = filter.open({
    ...{ role: sent.role ?? 'mx', hostname: 'mx.hamburger.example', clientName: 'mail.crepes.example' },
    ...{
      remoteAddress: sent.remoteAddress ?? '192.0.2.1',
      remotePort: 1,
      localAddress: '192.0.2.9',
      localPort: 25,
    },
    ...{ trusted: sent.trusted ?? false, extended: true, tls: null, account: null, waitingOctets: 0 },
    record: (kind, data) => void events.push({ ...data, kind }),
  })
  const done = (ending: FilterEnding): Judged => ({
    ...ending,
    ...{ events, asked: own.asked, judgements },
    reply: ending.refusal?.message ?? null,
  })
  if (session === null) return done({})
  const atMail = await session.mail?.(reversePath, [])
  if (atMail instanceof Refusal) return done({ refusal: atMail })
  await session.rcpt?.('bob@hamburger.example', [], true)
  for (let at = 0; at < message.length; at += 40) {
    await session.octets?.(Buffer.from(message.slice(at, at + 40), 'latin1'))
  }
  const about = { journeyId: 'j', reversePath, recipients: ['bob@hamburger.example'] }
  const facts = { ...about, octets: message.length, headerFields: [] }
  const began = clock.now()
  let ended = false
  const ending = Promise.resolve(session.end!(facts)).finally(() => (ended = true))
  while (!ended) {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    if (!ended) clock.advance(500)
  }
  return { ...done(await ending), waitedMs: clock.now() - began }
}

/** `dkim=pass` and so on. */
const methods = ({ fields = [] }: FilterEnding): string[] =>
  fields.join('').match(/(?<=\n )[a-z]+=[a-z]+/g) ?? []

test('a letter as it should be: everything passes, and one field says so', async () => {
  const ending = await judge({ message: await signed(letter) })
  assert.equal(ending.refusal, undefined)
  assert.equal(ending.junk, undefined)
  const [field, ...more] = ending.fields ?? []
  assert.deepEqual(more, [])
  const b = / header\.b=("[^"]+"|\S+?)(?=;|\r)/.exec(field ?? '')?.[1]
  assert.equal(
    field,
    [
      'Authentication-Results: mx.hamburger.example;',
      ' iprev=pass (mail.crepes.example) policy.iprev=192.0.2.1;',
      ' spf=none reason="no record" smtp.helo=mail.crepes.example;',
      ' spf=pass smtp.mailfrom=alice@crepes.example;',
      ' dkim=pass header.d=crepes.example header.s=ed header.a=ed25519-sha256',
      `  header.b=${b};`,
      ' dmarc=pass header.from=crepes.example polrec.p=reject',
      '',
    ].join('\r\n'),
  )
})

test('the journey has each verdict with the record and the mechanism that decided', async () => {
  const { events } = await judge({ message: await signed(letter) })
  assert.deepEqual(
    events.map(({ kind, result }) => `${kind} ${result}`),
    ['auth.iprev pass', 'auth.spf none', 'auth.spf pass', 'auth.dkim pass', 'auth.dmarc pass'],
  )
  const [, , spf, dkim, dmarc] = events
  assert.deepEqual([spf?.['record'], spf?.['mechanism']], ['v=spf1 ip4:192.0.2.1 -all', 'ip4:192.0.2.1'])
  assert.equal(dkim?.['record'], `v=DKIM1; k=ed25519; p=${p}`)
  assert.deepEqual(dmarc?.['aligned'], ['dkim=crepes.example', 'spf=crepes.example'])
  assert.equal(dmarc?.['record'], 'v=DMARC1; p=reject; sp=quarantine')
})

test('p=reject is done to what passes neither way, and the reply names domain and policy', async () => {
  const { reply } = await judge({ remoteAddress: '198.51.100.1' })
  assert.equal(
    reply,
    '550 Refused by the DMARC policy of crepes.example (p=reject): neither DKIM nor SPF passed for it',
  )
})

test('what followed is told for reports', async () => {
  const followed = async (sent: Sent) => (await judge(sent)).judgements.map(({ disposition }) => disposition)
  assert.deepEqual(await followed({}), ['none'])
  assert.deepEqual(await followed({ remoteAddress: '198.51.100.1' }), ['reject'])
  // It will come again.
  assert.deepEqual(await followed({ dns: { 'crepes.example': 'timeout' } }), [])
  assert.deepEqual(await followed({ trusted: true }), [])
})

test('one of the two is enough', async () => {
  const forwarded = await judge({ message: await signed(letter), remoteAddress: '198.51.100.1' })
  assert.equal(forwarded.refusal, undefined)
  assert.ok(methods(forwarded).includes('dmarc=pass'))
  assert.ok(methods(await judge({})).includes('dmarc=pass'))
})

test('quarantine is the Junk mailbox; t=y is one level less, and dmarc = "judge" leaves the policy unapplied', async () => {
  const message = letter.replace('alice@', 'alice@shop.')
  const shop = { 'shop.crepes.example': { A: ['192.0.2.1'] } }
  const quarantined = await judge({ message, reversePath: 'x@burgers.example', dns: shop })
  assert.match(quarantined.junk ?? '', /^DMARC: shop\.crepes\.example/)
  assert.equal(quarantined.refusal, undefined)
  const testing = { '_dmarc.crepes.example': txt('v=DMARC1; p=reject; t=y') }
  const tested = await judge({ remoteAddress: '198.51.100.1', dns: testing })
  assert.equal(tested.refusal, undefined)
  assert.match(tested.junk ?? '', /^DMARC: crepes\.example/)
  assert.ok(methods(tested).includes('dmarc=fail'))
  const less = { '_dmarc.crepes.example': txt('v=DMARC1; p=quarantine; t=y') }
  assert.equal((await judge({ remoteAddress: '198.51.100.1', dns: less })).junk, undefined)
  const hidden = await judge({ dns: { ...testing, 'crepes.example': 'timeout' } })
  assert.equal(hidden.refusal, undefined)
  assert.match(hidden.junk ?? '', /^DMARC: DNS does not answer/)
  const judged = await judge({ remoteAddress: '198.51.100.1', policy: { dmarc: 'judge' } })
  assert.equal(judged.refusal, undefined)
})

test('SPF fail refuses at MAIL only when it is told to, with the words of the domain', async () => {
  const dns = {
    'crepes.example': txt('v=spf1 ip4:192.0.2.1 -all exp=why.crepes.example'),
    'why.crepes.example': txt('%{i} is none of ours'),
  }
  const { reply, events } = await judge({ remoteAddress: '198.51.100.1', policy: { spf: 'refuse' }, dns })
  assert.equal(
    reply,
    '550 198.51.100.1 may not send mail of crepes.example (-all); the domain says: 198.51.100.1 is none of ours',
  )
  assert.deepEqual(
    events.map(({ kind, result }) => [kind, result]),
    [['auth.spf', 'fail']],
  )
  const broken = { 'crepes.example': 'servfail' as const, '_dmarc.crepes.example': txt('v=DMARC1; p=none') }
  assert.equal((await judge({ policy: { spf: 'refuse' }, dns: broken })).reply, null)
})

test('DNS that fails refuses nothing for good', async () => {
  // The policy itself cannot be seen: taken.
  const blind = await judge({ remoteAddress: '198.51.100.1', dns: { '_dmarc.crepes.example': 'servfail' } })
  assert.equal(blind.refusal, undefined)
  assert.ok(methods(blind).includes('dmarc=temperror'))
  // It is seen, and says reject; what might have passed cannot be seen.
  const waiting = await judge({ dns: { 'crepes.example': 'timeout' } })
  assert.match(waiting.reply ?? '', /^451 DNS does not answer for crepes\.example/)
  const key = await judge({
    message: await signed(letter),
    remoteAddress: '198.51.100.1',
    dns: { 'ed._domainkey.crepes.example': 'timeout' },
  })
  assert.match(key.reply ?? '', /^451 /)
  // Whoever forges chooses the selector, and may know one that makes DNS fail.
  const forged = await judge({
    message: (await signed(letter)).replace('s=ed', 's=gone'),
    remoteAddress: '198.51.100.1',
    dns: {
      '_dmarc.crepes.example': txt('v=DMARC1; p=quarantine'),
      'gone._domainkey.crepes.example': 'servfail',
    },
  })
  assert.match(forged.junk ?? '', /^DMARC: DNS does not answer/)
})

test('DNS that never answers is given up in time', async () => {
  const resolver: Resolver = { query: () => new Promise(() => {}) }
  const ending = await judge({ resolver, message: await signed(letter) })
  assert.equal(ending.refusal, undefined)
  assert.deepEqual(methods(ending), [
    'iprev=temperror',
    'spf=temperror',
    'spf=temperror',
    'dkim=temperror',
    'dmarc=temperror',
  ])
})

/** Answers everything but this. */
const silentAbout = (silent: RegExp, dns: RecordMap = {}): Resolver => {
  const inner = mapResolver({ ...zone, ...dns })
  return { query: (name, type) => (silent.test(name) ? new Promise(() => {}) : inner.query(name, type)) }
}

test('what was found out in time counts, whatever else DNS leaves unsaid', async () => {
  const other = 'DKIM-Signature: v=1; a=ed25519-sha256; d=slow.example; s=x; h=from; bh=AAAA; b=AAAA\r\n'
  const ending = await judge({
    message: other + (await signed(letter)),
    resolver: silentAbout(/slow\.example|in-addr/),
    remoteAddress: '198.51.100.1',
  })
  assert.equal(ending.reply, null)
  assert.deepEqual(methods(ending).slice(-3), ['dkim=temperror', 'dkim=pass', 'dmarc=pass'])
})

test('an address whose name server is silent holds a letter for a second, not for the whole time', async () => {
  const clock = new FakeClock()
  const sent = { clock, message: await signed(letter), resolver: silentAbout(/in-addr/) }
  const { waitedMs, ...ending } = await judge(sent)
  assert.equal(waitedMs, 1_000)
  assert.deepEqual(methods(ending), ['iprev=temperror', 'spf=none', 'spf=pass', 'dkim=pass', 'dmarc=pass'])
  assert.equal((await judge({ message: await signed(letter) })).waitedMs, 0)
  assert.equal(
    (await judge({ resolver: silentAbout(/_dmarc/) })).waitedMs,
    defaultLimits.senderCheckTimeoutMs,
  )
})

test('however long a stranger makes what we find, all verdicts are told and the signature that passed is among them', async () => {
  const name = `${`${'x'.repeat(60)}.`.repeat(3)}example`
  const other = `DKIM-Signature: v=1; a=rsa-sha256; d=${name}; i="${'y'.repeat(300)}"@${name}; s=${name}; h=from; bh=AAAA; b=AAAA\r\n`
  const { fields = [] } = await judge({ message: other.repeat(9) + (await signed(letter)) })
  assert.ok(fields[0]!.length <= 4_000, `${fields[0]!.length}`)
  const found = methods({ fields })
  assert.deepEqual(found.slice(0, 4), ['iprev=pass', 'spf=none', 'spf=pass', 'dkim=pass'])
  assert.equal(found.at(-1), 'dmarc=pass')
  assert.match(fields[0]!, /\(\d more not listed\)/)
})

test('who sends for a domain is proven by SPF for the reverse-path, and by nothing else', async () => {
  assert.equal((await judge({})).senderProven, true)
  assert.equal(
    (await judge({ message: await signed(letter), remoteAddress: '198.51.100.1' })).senderProven,
    false,
  )
  assert.equal((await judge({ reversePath: 'x@burgers.example' })).senderProven, false)
  const dns = { 'mail.crepes.example': { A: ['192.0.2.1'], TXT: ['v=spf1 a -all'] } }
  assert.equal((await judge({ reversePath: '', dns })).senderProven, false, 'the null reverse-path is nobody')
})

test('the null reverse-path is judged by HELO', async () => {
  const dns = { 'mail.crepes.example': { A: ['192.0.2.1'], TXT: ['v=spf1 a -all'] } }
  const { fields, events } = await judge({ reversePath: '', dns })
  assert.match(
    fields?.[0] ?? '',
    / spf=pass smtp\.helo=mail\.crepes\.example;\r\n dkim=none;\r\n dmarc=pass /,
  )
  assert.equal(events.filter(({ kind }) => kind === 'auth.spf').length, 1)
})

test('submission, trusted clients and what is switched off cost no look-up', async () => {
  for (const sent of [{ role: 'submission' as const }, { trusted: true }]) {
    const { asked, fields, events } = await judge(sent)
    assert.deepEqual([asked, fields, events], [[], undefined, []])
  }
  const lab = await judge({ trusted: true, policy: { judgeTrusted: true } })
  assert.ok(methods(lab).includes('dmarc=pass'))
  const off = await judge({ policy: { spf: 'off', dkim: false, dmarc: 'judge' } })
  assert.deepEqual(methods(off), ['iprev=pass'])
})

test('unknown recipients cost no look-up', () => {
  const resolver = mapResolver(zone)
  const options = { hostname: 'mx.example', limits: defaultLimits, clock: new FakeClock(), log: silentLog }
  const session = createSenderJudge({ ...options, resolver, policy: defaultChecks }).open({
    ...{ role: 'mx', trusted: false, account: null, remoteAddress: '192.0.2.1', clientName: 'x.example' },
  } as FilterClient)
  session?.mail?.('alice@crepes.example', [])
  session?.rcpt?.('nobody@hamburger.example', [], false)
  assert.deepEqual(resolver.asked, [])
})

/** A list that changed the subject, and a forwarder behind it. */
async function throughList(results: string) {
  const changed = letter.replace('Subject: ', 'Subject: [cooks] ')
  const list = { domain: 'lists.example', key: privateKey, results }
  const first = await sealMessage(changed, { ...list, instance: 1 })
  const forwarder = {
    domain: 'forward.example',
    key: privateKey,
    results: 'arc=pass; dmarc=fail',
    instance: 2,
  }
  const second = await sealMessage(first.message, { ...forwarder, before: first.fields })
  return { first: first.message, second: second.message }
}

const record = txt(`v=DKIM1; k=ed25519; p=${p}`)
const sealers = { 'ed._domainkey.lists.example': record, 'ed._domainkey.forward.example': record }

test('a mailing list whose ARC seal is trusted replaces the policy of the author', async () => {
  const { first, second } = await throughList('spf=pass smtp.mailfrom=alice@crepes.example; dmarc=pass')
  const sent = { reversePath: 'cooks@lists.example', remoteAddress: '198.51.100.1', dns: sealers }
  const list = { trustedArc: ['lists.example'] }
  assert.match((await judge({ ...sent, message: first })).reply ?? '', /^550 /)
  const taken = await judge({ ...sent, message: first, policy: list })
  assert.equal(taken.reply, null)
  assert.match(taken.fields?.[0] ?? '', / arc=pass \(i=1 lists\.example\) /)
  assert.match(
    taken.fields?.[0] ?? '',
    / dmarc=fail\s+reason="[^"]+, but lists\.example says that it passed"/,
  )
  // Whoever is not trusted and had it later may have written what the list is said to say.
  assert.match((await judge({ ...sent, message: second, policy: list })).reply ?? '', /^550 /)
  const both = { trustedArc: ['lists.example', 'forward.example'] }
  assert.equal((await judge({ ...sent, message: second, policy: both })).reply, null)
  // Changed after it was sealed.
  const changed = first.replace('[cooks]', '[bank]')
  assert.match((await judge({ ...sent, message: changed, policy: list })).reply ?? '', /^550 /)
})

test('p=reject is quarantine for the post of a list that can be named, RFC 9989 §7.4', async () => {
  const message = `List-Id: Cooks <cooks.lists.example>\r\n${letter}`
  const dns = { 'lists.example': txt('v=spf1 ip4:198.51.100.1 -all') }
  const sent = { message, reversePath: 'cooks@lists.example', dns, remoteAddress: '198.51.100.1' }
  const taken = await judge(sent)
  assert.equal(taken.reply, null)
  assert.match(taken.junk ?? '', /mailing list/)
  assert.deepEqual(
    taken.judgements.map(({ disposition }) => disposition),
    ['quarantine'],
  )
  // Anybody can say that he is a list.
  assert.match((await judge({ ...sent, remoteAddress: '198.51.100.2' })).reply ?? '', /^550 /)
  assert.match((await judge({ ...sent, message: letter })).reply ?? '', /^550 /)
})

test('a trusted hop that says that DMARC failed changes nothing', async () => {
  const { first } = await throughList('dmarc=fail')
  const policy = { trustedArc: ['lists.example'] }
  const sent = { reversePath: 'cooks@lists.example', remoteAddress: '198.51.100.1', dns: sealers }
  assert.match((await judge({ ...sent, message: first, policy })).reply ?? '', /^550 /)
})
