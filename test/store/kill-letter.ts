/** A letter that can be told from all others by every octet of it; every 40th is large. */
export function killLetter(number: number): Buffer {
  const length = number % 40 === 0 ? 300_000 : 200 + ((number * 7919) % 20_000)
  const head = Buffer.from(`Subject: ${number}\r\nMessage-ID: <${number}@crepes.example>\r\n\r\n`)
  return Buffer.concat([head, Buffer.alloc(length, `${number} `)])
}

export function numberOf(letter: Uint8Array): number {
  return Number(/^Subject: (\d+)/.exec(Buffer.from(letter.subarray(0, 40)).toString('latin1'))?.[1])
}
