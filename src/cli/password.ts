import { CliError, exitCodes } from './cli-error.ts'

const enter = new Set(['\r', '\n', '\x04'])

/**
 * A password: typed without echo by a person, else the first line of standard input.
 *
 * @param prompt Shown to a person, on standard error.
 * @throws {CliError} None was given.
 */
export async function readPassword(prompt: string): Promise<string> {
  const password = process.stdin.isTTY ? await askSilently(prompt) : await readFirstLine()
  if (password !== '') return password
  const remedy = "Give it on standard input, for example: printf '%s' PASSWORD | posthorn …"
  throw new CliError(exitCodes.usage, 'No password was given', remedy, { code: 'no-password' })
}

/** As `readPassword`; a person types it twice, because nobody sees a slip. */
export async function readNewPassword(address: string): Promise<string> {
  const first = await readPassword(`New password for ${address}: `)
  if (!process.stdin.isTTY) return first
  if (first === (await askSilently('Once more: '))) return first
  throw new CliError(exitCodes.usage, 'The two passwords differ', 'Try again; nothing was changed.')
}

/** Asks a question that only `y` answers with yes. Without a person at the terminal the answer is no. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  process.stderr.write(`${question} [y/N] `)
  const answer = await readFirstLine()
  process.stdin.pause()
  return /^y(?:es)?$/i.test(answer.trim())
}

async function readFirstLine(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    if (chunk.includes(10)) break
  }
  const text = Buffer.concat(chunks).toString('utf8')
  return (text.split('\n')[0] ?? '').replace(/\r$/, '')
}

function askSilently(prompt: string): Promise<string> {
  const { stdin } = process
  process.stderr.write(prompt)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  return new Promise((resolve, reject) => {
    let typed = ''
    const finish = (error: CliError | null): void => {
      stdin.off('data', onData)
      stdin.setRawMode(false)
      stdin.pause()
      process.stderr.write('\n')
      if (error === null) resolve(typed)
      else reject(error)
    }
    const onData = (text: string): void => {
      for (const char of text) {
        if (enter.has(char) || char === '\x03') {
          finish(enter.has(char) ? null : new CliError(exitCodes.usage, 'Given up', 'Nothing was changed.'))
          return
        }
        if (char === '\x7f' || char === '\b') typed = [...typed].slice(0, -1).join('')
        else if (char === '\x15') typed = ''
        else typed += char
      }
    }
    stdin.on('data', onData)
  })
}
