import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandName } from './command-name.ts'

test('a command that is proposed can be typed as it stands', () => {
  assert.equal(commandName('/home/ada/posthorn/src/cli/main.ts', '/home/ada/posthorn'), 'bin/posthorn')
  const elsewhere = commandName('/home/ada/posthorn/src/cli/main.ts', '/srv/mail')
  assert.equal(elsewhere, '/home/ada/posthorn/bin/posthorn')
  assert.equal(commandName('/usr/lib/node_modules/posthorn/dist/cli/main.js', '/srv'), 'posthorn')
})
