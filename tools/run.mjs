/** `node tools/run.mjs FILE args…` runs FILE, TypeScript as it is, under the runtime of this checkout. */
import { runWith } from '../bin/runtime.mjs'
import { ensureInstalled } from './install.mjs'

const [file, ...args] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node tools/run.mjs FILE [ARGUMENT ...]')
  process.exitCode = 2
} else {
  process.exitCode = await runWith(ensureInstalled(), [file, ...args])
}
