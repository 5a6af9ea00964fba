/** Cuts the power at moments of a trace and looks at what is left. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkImage, type Verdict } from './check-image.ts'
import { DiskModel, type Fate, fates } from './disk-model.ts'
import { Ledger } from './ledger.ts'
import type { Mark } from './marks.ts'
import type { Chance } from './random.ts'
import { dataFolder, recordLoad, type Trace } from './record-load.ts'

/** Images that are looked at together. */
const atOnce = 2

/** A third right after an answer, some while the store is made, the others anywhere. */
export function chooseCuts({ records, marks }: Trace, count: number, chance: Chance): number[] {
  const answers = [...marks]
    .filter(([, some]) => some.some(({ kind }) => kind === 'ack'))
    .map(([at]) => at + 1)
  const cuts = Array.from({ length: count }, (_, i) => {
    if (i % 3 === 0) return chance.pick(answers)
    if (i % 10 === 1) return chance.below(answers[Math.min(20, answers.length - 1)]!)
    return chance.below(records.length + 1)
  })
  return cuts.sort((a, b) => a - b)
}

interface Before {
  /** What was on the disk when the trace began. */
  readonly model: DiskModel
  readonly marks: readonly Mark[]
}

/** @param sums Takes what was found. */
export async function cutPower(
  trace: Trace,
  cuts: readonly number[],
  chance: Chance,
  sums: Verdict,
  before: Before | null = null,
): Promise<void> {
  const model = before?.model ?? new DiskModel(trace.root)
  const marks: Mark[] = [...(before?.marks ?? [])]
  const running = new Set<Promise<void>>()
  let at = 0
  for (const cut of cuts) {
    for (; at < cut; at++) {
      model.follow(trace.records[at]!)
      marks.push(...(trace.marks.get(at) ?? []))
    }
    const image = makeImage(model, at, chance)
    const work = check(image, ledgerOf(marks), sums).then(() => void running.delete(work))
    running.add(work)
    if (running.size >= atOnce) await Promise.race(running)
  }
  await Promise.all(running)
}

/** Cuts the power, lets a new process recover what is left and go on, and cuts it again meanwhile. */
export async function cutTwice(
  trace: Trace,
  cut: number,
  options: { readonly shim: string; readonly cuts: number; readonly chance: Chance },
  sums: Verdict,
): Promise<void> {
  const { shim, chance } = options
  const model = new DiskModel(trace.root)
  const marks: Mark[] = []
  for (let at = 0; at < cut; at++) {
    model.follow(trace.records[at]!)
    marks.push(...(trace.marks.get(at) ?? []))
  }
  const image = makeImage(model, cut, chance)
  const before = { model: new DiskModel(image.folder, image.folder), marks }
  const numbers = { letters: 24, first: 500_000_001, seed: chance.below(2 ** 30) }
  const second = recordLoad({ shim, disk: image.folder, ...numbers, processes: ['close'] })
  // Half of them in the first third: there the store puts right what the first cut left.
  const early = Math.floor(second.records.length / 3)
  const cuts = Array.from({ length: options.cuts }, (_, i) =>
    chance.below(i % 2 === 0 ? early : second.records.length + 1),
  )
  await cutPower(
    second,
    cuts.sort((a, b) => a - b),
    chance,
    sums,
    before,
  )
}

interface Image {
  readonly folder: string
  /** For who has to find out why. */
  readonly what: string
}

function makeImage(model: DiskModel, at: number, chance: Chance): Image {
  const fate: { data: Fate; entries: Fate } = { data: chance.pick(fates), entries: chance.pick(fates) }
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-cut-'))
  model.cut(folder, chance, fate)
  return { folder, what: `cut at ${at}, data ${fate.data}, entries ${fate.entries}` }
}

function ledgerOf(marks: readonly Mark[]): Ledger {
  const ledger = new Ledger()
  for (const mark of marks) ledger.add(mark)
  return ledger
}

async function check(image: Image, ledger: Ledger, sums: Verdict): Promise<void> {
  try {
    const verdict = await checkImage(join(image.folder, dataFolder), ledger)
    sums.checks += verdict.checks
    sums.losses.push(...verdict.losses.map((text) => `${image.what}: ${text}`))
  } finally {
    rmSync(image.folder, { recursive: true, force: true })
  }
}
