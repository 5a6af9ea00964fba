/** A letter that can be told from all others by every octet of it; every 60th is large enough for a file of its own. */
export function letterOf(number: number): Buffer {
  const length = number % 60 === 7 ? 270_000 + (number % 1_000) : 100 + ((number * 7919) % 6_000)
  const head = Buffer.from(`Subject: ${number}\r\nMessage-ID: <${number}@crepes.example>\r\n\r\n`)
  return Buffer.concat([head, Buffer.alloc(length, `${number} `)])
}

export function numberOf(letter: Uint8Array): number {
  return Number(/^Subject: (\d+)/.exec(Buffer.from(letter.subarray(0, 40)).toString('latin1'))?.[1])
}
