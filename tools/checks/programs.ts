/** Runs the checkers that others wrote: the TypeScript compiler and Biome. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** Types of every file, by `tsc --noEmit`. */
export function checkTypes(root: string): Promise<string[]> {
  return run(root, 'tsc', ['--noEmit', '--pretty', 'false'])
}

/** Lint and format of every file. `npm run format` mends most of what it finds. */
export function checkStyle(root: string): Promise<string[]> {
  return run(root, 'biome', ['check', '--colors=off', '--max-diagnostics=50', '.'])
}

/** Runs a program of node_modules/.bin; what it prints when it fails is one problem. */
function run(root: string, name: string, args: string[]): Promise<string[]> {
  const { promise, resolve } = Promise.withResolvers<string[]>()
  // With process.execPath in front, because the programs' first line would find an older node in PATH.
  const child = spawn(process.execPath, [join(root, 'node_modules', '.bin', name), ...args], { cwd: root })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  child.on('error', (error) => resolve([`${name} could not be started: ${error.message}`]))
  child.on('close', (code, signal) => {
    if (code === 0) resolve([])
    else resolve([output.trim() || `${name} ended with ${signal ?? code} and said nothing`])
  })
  return promise
}
