/** A folder for one test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What every helper here needs of a test: to be told when it ends. A TestContext is one. */
export interface Cleanup {
  after(work: () => void | Promise<void>): void
}

/** Makes an empty folder, which is removed with all that is in it when the test ends. */
export function temporaryFolder(t: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }))
  return folder
}
