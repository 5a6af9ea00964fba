/**
 * Prints a test run: a line for each file, each failure whole with what its file wrote, and the counts as
 * Node.js's own reporter words them. Leaves the counts in the file that POSTHORN_SUMMARY names.
 */
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { inspect, stripVTControlCharacters } from 'node:util'

const OUTPUT_CHARS = 20_000
const SILENCE_MS = 400_000 // above --test-timeout in tools/test.mjs

/** A test file while it runs. */
class FileRun {
  /** Titles of the tests we are in, outermost first. */
  titles = []
  failures = []
  output = ''

  started({ name, nesting }) {
    this.titles.length = nesting
    this.titles.push(name)
  }

  failed({ name, nesting, line, column, details, todo }, path) {
    const { error } = details
    // The parent of a failed test only repeats that; what it holds has been told.
    if (error.failureType === 'subtestsFailed' || todo !== undefined) return
    const title = [...this.titles.slice(0, nesting), relativePath(name)].join(' > ')
    const place = line === undefined ? path : `${path}:${line}:${column}`
    this.failures.push(`✖ ${title}\n  at ${place}\n${indent(describe(error))}\n`)
  }

  wrote({ message }) {
    if (this.output.length < OUTPUT_CHARS) this.output += message
  }

  report(path, { counts, duration_ms: durationMs }) {
    const bad = counts.failed + counts.cancelled
    const remarks = [
      `${counts.tests} ${counts.tests === 1 ? 'test' : 'tests'}`,
      ...(bad > 0 ? [`${bad} failed`] : []),
      ...(counts.skipped > 0 ? [`${counts.skipped} skipped`] : []),
      ...(counts.todo > 0 ? [`${counts.todo} to do`] : []),
    ]
    const line = `${bad > 0 ? '✖' : '✔'} ${path} (${remarks.join(', ')}; ${Math.round(durationMs)} ms)\n`
    return bad === 0 && this.failures.length === 0 ? line : line + this.details(path)
  }

  broken(path) {
    return `✖ ${path}\n${this.details(path)}`
  }

  details(path) {
    let text = `\n${this.failures.map(indent).join('\n')}`
    if (this.output.trim() !== '')
      text += `\n  output of ${path}:\n${indent(indent(this.output.trimEnd()))}\n`
    return `${text}\n`
  }
}

function relativePath(path) {
  return path.startsWith('/') ? relative(process.cwd(), path) : path
}

function indent(text) {
  return text.replace(/^(?=.)/gm, '  ')
}

function describe(error) {
  const cause = error.cause ?? error
  return typeof cause === 'string'
    ? cause
    : stripVTControlCharacters(inspect(cause, { colors: false, depth: 6 }))
}

function closingLines({ counts, duration_ms: durationMs }) {
  const keys = ['tests', 'suites', 'passed', 'failed', 'cancelled', 'skipped', 'todo']
  const words = { passed: 'pass', failed: 'fail' }
  const lines = keys.map((key) => `ℹ ${words[key] ?? key} ${counts[key]}`)
  return `\n${[...lines, `ℹ duration_ms ${durationMs.toFixed(1)}`].join('\n')}\n`
}

/** Ends a run in which nothing has happened for longer than any test may take: a file that never exits. */
class Watchdog {
  timer

  reset() {
    clearTimeout(this.timer)
    // The runner answers SIGTERM with test:interrupted, which names the file.
    this.timer = setTimeout(() => process.kill(process.pid, 'SIGTERM'), SILENCE_MS)
    this.timer.unref()
  }

  stop() {
    clearTimeout(this.timer)
  }
}

function interrupted({ tests }) {
  const files = tests.map((test) => relativePath(test.file ?? test.name))
  return `\n✖ interrupted, or silent for ${SILENCE_MS / 1000} s, while running ${files.join(', ')}\n`
}

function writeSummary({ passed, failed, cancelled }) {
  const file = process.env.POSTHORN_SUMMARY
  if (file !== undefined) writeFileSync(file, JSON.stringify({ passed, failed: failed + cancelled }))
}

export default async function* report(events) {
  const runs = new Map()
  const watchdog = new Watchdog()
  for await (const { type, data } of events) {
    watchdog.reset()
    const path = relativePath(data.entryFile ?? data.file ?? '')
    if (!runs.has(path)) runs.set(path, new FileRun())
    const run = runs.get(path)
    if (type === 'test:start') run.started(data)
    else if (type === 'test:fail') run.failed(data, relativePath(data.file ?? path))
    else if (type === 'test:stdout' || type === 'test:stderr') run.wrote(data)
    else if (type === 'test:interrupted') yield interrupted(data)
    else if (type === 'test:summary' && path !== '') {
      yield run.report(path, data)
      runs.delete(path)
    } else if (type === 'test:summary') {
      // What is left has failures but no summary of its own: the file could not even be loaded.
      for (const [file, left] of runs) if (left.failures.length > 0) yield left.broken(file)
      yield closingLines(data)
      writeSummary(data.counts)
    }
  }
  watchdog.stop()
}
