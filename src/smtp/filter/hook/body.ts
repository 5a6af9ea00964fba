/** The octets of a request to a hook, and its signature. */
import { createHmac } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'

export interface HookBody {
  readonly contentType: string
  readonly pieces: readonly Uint8Array[]
}

/** Octets encoded or hashed before others have their turn: well below a millisecond. */
const octetsPerTurn = 262_144

/** The event alone, or with the message as a text of base64 at its end. */
export async function jsonBody(event: object, message: readonly Buffer[] | null): Promise<HookBody> {
  const text = JSON.stringify(event)
  const contentType = 'application/json'
  if (message === null) return { contentType, pieces: [Buffer.from(text)] }
  const pieces: Uint8Array[] = [Buffer.from(`${text.slice(0, -1)},"messageBase64":"`)]
  let carried: Buffer = Buffer.alloc(0)
  let octets = 0
  for (const piece of message) {
    const all = carried.length === 0 ? piece : Buffer.concat([carried, piece])
    // Base64 goes by three octets; RFC 4648 §4.
    const whole = all.length - (all.length % 3)
    pieces.push(Buffer.from(all.toString('base64', 0, whole), 'latin1'))
    carried = all.subarray(whole)
    if ((octets += piece.length) >= octetsPerTurn) {
      octets = 0
      await nextTurn()
    }
  }
  pieces.push(Buffer.from(`${carried.toString('base64')}"}`))
  return { contentType, pieces }
}

/** Two parts, RFC 7578: `event`, and `message` as a file. @param boundary Occurs nowhere in the message. */
export function formBody(event: object, message: readonly Buffer[], boundary: string): HookBody {
  const part = (disposition: string, type: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: ${type}\r\n\r\n`
  const before =
    `${part('name="event"', 'application/json')}${JSON.stringify(event)}\r\n` +
    part('name="message"; filename="message.eml"', 'message/rfc822')
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    pieces: [Buffer.from(before), ...message, Buffer.from(`\r\n--${boundary}--\r\n`)],
  }
}

/**
 * `t=SECONDS,v1=HEX`: HMAC-SHA256 of the seconds, a dot and the body. The time is in it, so that who has seen a request
 * cannot send it again later.
 */
export async function sign(secret: string, nowMs: number, pieces: readonly Uint8Array[]): Promise<string> {
  const seconds = Math.floor(nowMs / 1_000)
  const hmac = createHmac('sha256', secret).update(`${seconds}.`)
  let octets = 0
  for (const piece of pieces) {
    hmac.update(piece)
    if ((octets += piece.length) >= octetsPerTurn) {
      octets = 0
      await nextTurn()
    }
  }
  return `t=${seconds},v1=${hmac.digest('hex')}`
}
