import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatFromLine, parseFromLine } from './from-line.ts'

const moment = Date.UTC(2025, 10, 6, 10, 11, 12)

test('a From line is read as many programs write it', () => {
  const accepted: readonly (readonly [string, string, number])[] = [
    ['From ada@client.example Thu Nov  6 10:11:12 2025', 'ada@client.example', moment],
    ['From - Thu Nov 06 10:11:12 2025', '-', moment], // Thunderbird
    ['From 1481538584729634819@xxx Thu Nov 06 10:11:12 +0000 2025', '1481538584729634819@xxx', moment], // Google
    ['From ada@client.example Thu Nov  6 10:11:12 2025 +0100', 'ada@client.example', moment - 3_600_000],
    ['From ada@client.example Thu Nov  6 05:11:12 EST 2025', 'ada@client.example', moment],
    ['From ada@client.example Thu, 6 Nov 2025 10:11:12 +0000', 'ada@client.example', moment],
    ['From ada@client.example  Thu Nov  6 10:11 2025', 'ada@client.example', moment - 12_000],
    ['From "ada b"@client.example Thu Nov  6 10:11:12 2025', '"ada b"@client.example', moment],
    ['From uucp Thu Nov  6 10:11:12 2025 remote from decvax', 'uucp', moment],
    ['From Thu Nov  6 10:11:12 2025', '', moment],
    ['From ada@client.example Thu Nov  6 10:11:12 2025\r', 'ada@client.example', moment],
  ]
  for (const [line, sender, date] of accepted) assert.deepEqual(parseFromLine(line), { sender, date }, line)
})

test('a line of text that begins with From is none', () => {
  const refused = [
    'From the beginning',
    'From Monday on we are closed',
    'From ada@client.example',
    'From: ada@client.example Thu Nov  6 10:11:12 2025',
    'from ada@client.example on Thu',
    'From ada Thu Nov 31 10:11:12 2025',
    'From ada Thu Nov  6 25:11:12 2025',
  ]
  for (const line of refused) assert.equal(parseFromLine(line), null, line)
})

test('what is written is read again', () => {
  for (const sender of ['ada@client.example', '"a b"@x.example', 'grüße@x.example', '']) {
    const line = formatFromLine(sender, moment)
    assert.match(line, /^From [!-~]+ Thu Nov {2}6 10:11:12 2025$/)
    assert.equal(parseFromLine(line)?.date, moment)
  }
  assert.match(formatFromLine('', 0), /^From MAILER-DAEMON Thu Jan {2}1 00:00:00 1970$/)
})
