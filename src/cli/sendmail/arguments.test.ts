import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readSendmailArguments, type SendmailCall, SendmailUsage } from './arguments.ts'
import { findSendmail } from './find.ts'

const plain: SendmailCall = {
  ...{ kind: 'send', sender: null, fullName: null, recipients: [], fromHeader: false, dotsAreText: false },
  ...{ notify: null, ret: null, envid: null },
}

/** As programs call it, and what they mean. */
const calls: readonly [string, string[], Partial<SendmailCall>][] = [
  [
    'cron',
    ['-i', '-FCronDaemon', '-B8BITMIME', '-oem', 'root'],
    { fullName: 'CronDaemon', dotsAreText: true, recipients: ['root'] },
  ],
  ['PHP', ['-t', '-i'], { fromHeader: true, dotsAreText: true }],
  [
    'mutt',
    ['-oem', '-oi', '-f', 'a@crepes.fr', '-N', 'failure,delay', '-R', 'hdrs', '--', 'b@hamburger.edu'],
    {
      ...{ dotsAreText: true, sender: 'a@crepes.fr', notify: 'FAILURE,DELAY', ret: 'HDRS' },
      recipients: ['b@hamburger.edu'],
    },
  ],
  [
    'mailx',
    ['-r', 'me@crepes.fr', '-i', 'a@b.example', 'c'],
    { sender: 'me@crepes.fr', dotsAreText: true, recipients: ['a@b.example', 'c'] },
  ],
  [
    'letters together',
    ['-tif', 'x', '-bm', '-odq', '-Am'],
    { fromHeader: true, dotsAreText: true, sender: 'x' },
  ],
  ['the value behind the letter', ['-fbob@crepes.fr'], { sender: 'bob@crepes.fr' }],
  ['an empty sender', ['-f', '', 'bob'], { sender: '', recipients: ['bob'] }],
  ['options end at --', ['-t', '--', '-f', 'bob'], { fromHeader: true, recipients: ['-f', 'bob'] }],
  ['options end at the first recipient', ['bob', '-t'], { recipients: ['bob', '-t'] }],
  ['a value that looks like --', ['-f', '--', 'bob'], { sender: '--', recipients: ['bob'] }],
]

for (const [title, args, expected] of calls) {
  test(`sendmail's arguments: ${title}`, () => {
    assert.deepEqual(readSendmailArguments(args), { ...plain, ...expected })
  })
}

test('what is always done needs no message', () => {
  for (const args of [['-q'], ['-q30m'], ['-bi'], ['-I']])
    assert.equal(readSendmailArguments(args).kind, 'nothing')
  assert.equal(readSendmailArguments(['-bp']).kind, 'queue')
})

test('what is not here is wrong use', () => {
  for (const args of [
    ['-bs'],
    ['-bd'],
    ['-bt'],
    ['-b'],
    ['-Z'],
    ['-f'],
    ['-N', 'often'],
    ['-R', 'some'],
    ['-é'],
  ]) {
    assert.throws(() => readSendmailArguments(args), SendmailUsage, args.join(' '))
  }
})

test('no arguments bring out anything but a request or wrong use', () => {
  const word = fc.oneof(fc.string(), fc.constantFrom('-t', '-f', '--', '-oi', '-bm', 'bob', '-'))
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (args) => {
      try {
        const request = readSendmailArguments(args)
        if (request.kind === 'send')
          assert.deepEqual(request.recipients, args.slice(args.length - request.recipients.length))
      } catch (error) {
        assert.ok(error instanceof SendmailUsage)
      }
    }),
  )
})

test('the command is found behind the options that name a server, and nowhere else', () => {
  assert.deepEqual(findSendmail(['--config', 'x.toml', 'sendmail', '-V', 'id', '--json']), {
    before: ['--config', 'x.toml'],
    where: { config: 'x.toml' },
    args: ['-V', 'id', '--json'],
  })
  assert.deepEqual(findSendmail(['--lab', '--config=y', '--json', 'sendmail'])?.where, {
    config: 'y',
    lab: true,
  })
  for (const args of [
    ['send', 'sendmail'],
    ['--config', 'sendmail'],
    ['sendmail', '--help'],
    ['--help', 'sendmail'],
    [],
  ])
    assert.equal(findSendmail(args), null)
})
