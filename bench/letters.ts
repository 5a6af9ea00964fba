/** Letters of some 2 KB of text, cut from what text lies on this machine: documentation and source code. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const textOctets = 2_048
const wantedOctets = 80 * 1_048_576

/** All text files below the folders, one behind another. */
export function gatherText(folders: readonly string[]): string {
  const texts: string[] = []
  let octets = 0
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (octets >= wantedOctets) return
      if (entry.isDirectory()) visit(path)
      else if (
        entry.isFile() &&
        /(?:\.(?:md|txt|ts|js|html|rst|changelog)|README|copyright)$/.test(entry.name)
      ) {
        if (statSync(path).size > 1_000_000) continue
        const text = readFileSync(path, 'utf8').replaceAll('\u0000', '')
        texts.push(text)
        octets += text.length
      }
    }
  }
  for (const folder of folders) visit(folder)
  return texts.join('\n')
}

/** Headers as they come through two servers, and a window of the text; every `seldom`-th in Chinese besides. */
export function* makeLetters(text: string, count: number, seldom = 20): Generator<Buffer> {
  const step = Math.max(1, Math.floor((text.length - textOctets) / count))
  for (let n = 0; n < count; n++) {
    const random = (chars: number) =>
      Array.from({ length: Math.ceil(chars / 11) }, (_, i) => hash(n * 131 + i))
        .join('')
        .slice(0, chars)
    const at = (n * step) % Math.max(1, text.length - textOctets)
    const head = [
      `Received: from mx${n % 40}.crepes.example (mx${n % 40}.crepes.example [192.0.2.${n % 250}]) by mail.bench.test`,
      ` with ESMTPS id ${random(16)} for <u1@bench.test>; Mon, 23 Nov 2026 10:00:00 +0000`,
      `DKIM-Signature: v=1; a=rsa-sha256; d=crepes.example; s=s1; h=from:to:subject; bh=${random(44)};`,
      ` b=${random(344)}`,
      `From: Person ${n % 700} <person${n % 700}@crepes.example>`,
      'To: u1@bench.test',
      `Subject: Letter ${n} about ${text.slice(at + 100, at + 130).replace(/[^a-zA-Z ]/g, ' ')}`,
      `Message-ID: <${random(24)}@crepes.example>`,
      'Date: Mon, 23 Nov 2026 10:00:00 +0000',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
    ]
    const body = text.slice(at, at + textOctets).replaceAll('\n', '\r\n')
    const more =
      n % seldom === 0
        ? `\r\n你好，第${n}封信。今天的会议改到明天下午${n % 12}点。日本語の手紙も検索できます。`
        : ''
    yield Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}${more}\r\n`)
  }
}

/** Eleven chars that look like base64. */
function hash(n: number): string {
  let state = (n + 1) * 2_654_435_761
  let out = ''
  for (let i = 0; i < 11; i++) {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + n * 374_761_393) >>> 0
    out += 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[state >>> 26]
  }
  return out
}
