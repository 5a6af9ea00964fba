/** Delivers as fast as it can, and prints what has been acknowledged, until it is killed in the midst of indexing. */
import { writeSync } from 'node:fs'
import type { IndexFor } from '../../src/base/config.ts'
import { acceptOne, filing, itemOf } from './letters.ts'
import { openAt } from './search-world.ts'

const [folder, first] = [process.argv[2]!, Number(process.argv[3])]
const indexFor = process.argv[4] as IndexFor
const store = await openAt(folder, undefined, indexFor)
const { accountId } = (await store.listAccounts())[0]!
let number = first
writeSync(1, 'open\n')
const emailIds: number[] = []
const criteria = [{ field: 'text', needle: 'word1' }] as const
// Somebody searches: what has come is indexed at once, and so again and again.
setInterval(() => void store.search(accountId, { emailIds: Float64Array.from(emailIds), criteria }), 20)

async function deliver(): Promise<void> {
  for (;;) {
    const mine = number++
    const text = `Subject: letter ${mine % 10}\r\n\r\nword${mine} key${mine}0815 ${'text '.repeat(mine % 300)}\r\n`
    const { filed } = await acceptOne(store, await itemOf(store, text, [filing(accountId)]))
    emailIds.push(filed[0]!.emailId)
    writeSync(1, `${filed[0]!.emailId} ${mine}\n`)
  }
}

await Promise.all(Array.from({ length: 10 }, deliver))
