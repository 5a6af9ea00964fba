/** `node bench/top-costs.ts FILE.cpuprofile [N]`: where a profile of `node --cpu-prof` spent its time, by function. */
import { readFileSync } from 'node:fs'

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const [, , file = '', count = '30'] = process.argv
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile
const selfUs = new Map<number, number>()
for (const [i, id] of samples.entries()) selfUs.set(id, (selfUs.get(id) ?? 0) + timeDeltas[i]!)
const byId = new Map(nodes.map((node) => [node.id, node]))
const [self, total] = [new Map<string, number>(), new Map<string, number>()]

/** @param above Functions on the way here: one that calls itself counts once. */
function visit(id: number, above: ReadonlySet<string>): number {
  const { callFrame, children = [] } = byId.get(id)!
  const at = callFrame.url.replace(/^.*\/(?=(?:src|bench|test|node_modules)\/)/, '')
  const name = `${callFrame.functionName || '(anonymous)'} ${at}:${callFrame.lineNumber + 1}`
  const own = selfUs.get(id) ?? 0
  const below = new Set(above).add(name)
  const whole = children.reduce((sum, child) => sum + visit(child, below), own)
  self.set(name, (self.get(name) ?? 0) + own)
  if (!above.has(name)) total.set(name, (total.get(name) ?? 0) + whole)
  return whole
}

const all = visit(nodes[0]!.id, new Set())
const idle = [...self].find(([name]) => name.startsWith('(idle)'))?.[1] ?? 0
const busy = all - idle
console.log(
  `${(all / 1e6).toFixed(1)} s, ${(busy / 1e6).toFixed(1)} s of them busy\n  self  below  of the busy time`,
)
const shown = [...self].filter(([name]) => !name.startsWith('(idle)')).sort((a, b) => b[1] - a[1])
const percent = (us: number) => `${((us / busy) * 100).toFixed(1)} %`.padStart(7)
for (const [name, us] of shown.slice(0, Number(count)))
  console.log(percent(us), percent(total.get(name) ?? 0), name)
