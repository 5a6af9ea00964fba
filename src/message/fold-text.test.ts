import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldText } from './fold-text.ts'

test('Case, composition and compatibility make no difference; letters and marks do', () => {
  const equal: [string, string][] = [
    ['Ketchup', 'kETCHUP'],
    ['CAFÉ', 'cafe\u0301'],
    ['STRASSE', 'straße'],
    ['ΟΔΟΣ', 'οδος'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['ﬁle', 'FILE'],
    ['Ｆｕｌｌ　ｗｉｄｔｈ', 'full width'],
    ['ｶﾞ', 'ガ'],
    ['Ⅳ', 'iv'],
    ['ПРИВЕТ', 'привет'],
    ['no\u00a0break', 'no break'],
  ]
  for (const [a, b] of equal) assert.equal(foldText(a), foldText(b), `${a} ${b}`)
  assert.notEqual(foldText('o'), foldText('0'))
  assert.ok(!foldText('café').includes(foldText('CAFE')))
  assert.ok(foldText('au café').includes(foldText('CAFE\u0301')))
})

test('Folding twice is folding once, for every character', () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code < 0xe000) continue
    const folded = foldText(String.fromCodePoint(code))
    assert.equal(foldText(folded), folded, code.toString(16))
    assert.ok(!/[a-z]/.test(folded), code.toString(16))
  }
})
