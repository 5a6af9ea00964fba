/** A way as text: the lecture's six steps, one under the other. */
import type { Stage, WireLine } from '../../journey/event.ts'
import type { Style } from '../terminal.ts'
import type { Way, WayDialogue, WayStage } from './merge.ts'
import { printableLine } from '../agent/terminal.ts'

export const stageNames: Readonly<Record<Stage, string>> = {
  written: 'Written',
  'handed-in': 'Handed in',
  queued: 'Queued',
  'looked-up': 'Looked up',
  connected: 'Connected',
  secured: 'Secured',
  spoken: 'Spoken',
  judged: 'Judged',
  filed: 'Filed',
  collected: 'Collected',
}

/** What an empty stage means. */
function meaningOfNothing(stage: Stage, way: Way): string {
  if (stage === 'written') return 'not seen'
  if (stage === 'judged' && way.journeys.length === 1 && saw(way, 'handed-in'))
    return 'not judged: handed in by somebody with an account'
  if (stage === 'judged') return 'not judged: from somebody trusted, or not asked to'
  if (way.state === 'refused' && (stage === 'filed' || stage === 'collected')) return 'no: it was refused'
  if (stage === 'filed') return 'not yet, or on a server that is not ours'
  if (stage === 'collected') return 'not yet'
  if (stage === 'handed-in') return 'not seen: it came from another server'
  if (!saw(way, 'handed-in')) {
    if (stage === 'spoken') return 'not recorded'
    return stage === 'secured' ? 'no: in the clear' : 'on the server it came from'
  }
  if (!saw(way, 'queued')) return way.filedAt === null ? 'no' : 'no need to: it stayed here'
  if (stage === 'secured' && wasConnected(way)) return 'no: in the clear'
  const hasEnded = way.state === 'delivered' || way.state === 'collected' || way.state === 'refused'
  return hasEnded ? 'no' : 'not yet'
}

function wasConnected(way: Way): boolean {
  return way.stages.some(({ events }) =>
    events.some(({ kind, data }) => kind === 'tcp.open' && data['ok'] === true),
  )
}

function saw(way: Way, wanted: Stage): boolean {
  return way.stages.some(
    ({ stage, facts, dialogues }) => stage === wanted && facts.length + dialogues.length > 0,
  )
}

const indent = ' '.repeat(14)

/** @param wire Shows every dialogue line by line. */
export function formatWay(way: Way, style: Style, wire: boolean): string {
  const lines = [titleOf(way, style), '']
  let step = 0
  for (const stage of way.stages) {
    const number = stage.step === step ? ' ' : String(stage.step)
    step = stage.step
    lines.push(...formatStage(stage, number, way, { style, wire }))
  }
  if (!wire && way.stages.some(({ dialogues }) => dialogues.length > 0)) {
    lines.push('', style.dim('--wire shows what was said, line by line.'))
  }
  return `${lines.join('\n')}\n`
}

function titleOf(way: Way, style: Style): string {
  const from = way.reversePath === '' ? '<>' : printableLine(way.reversePath)
  const to = way.recipients.map(printableLine).join(', ')
  const title = `Way of ${nameOf(way)}  ${from} → ${to === '' ? 'nobody' : to}`
  return `${style.bold(title)}   ${style.dim(arrival(way))}`
}

function nameOf({ subject, state, messageId }: Way): string {
  if (subject !== null) return `“${printableLine(subject)}”`
  // What was refused before its end was read has a subject that nobody saw.
  return state === 'refused' && messageId === null ? 'what was refused' : 'a letter without subject'
}

function arrival(way: Way): string {
  if (way.filedAt !== null) return `arrived after ${formatDuration(way.filedAt - way.startedAt)}`
  return way.state ?? ''
}

export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, ms)} ms`
  if (ms < 120_000) return `${(ms / 1_000).toFixed(2)} s`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}

function formatStage(
  stage: WayStage,
  number: string,
  way: Way,
  { style, wire }: { readonly style: Style; readonly wire: boolean },
): string[] {
  const head = `${number} ${style.brass(stageNames[stage.stage].padEnd(11))} `
  const said = stage.dialogues.map((dialogue) => formatDialogue(dialogue, stage.stage, style, wire))
  const texts = [
    ...stage.facts.map((fact) => formatFact(fact, style)),
    ...said.flatMap(({ summary }) => summary),
  ]
  if (texts.length === 0) texts.push(style.dim(meaningOfNothing(stage.stage, way)))
  const [first, ...rest] = texts
  return [head + first!, ...rest.map((text) => indent + text), ...said.flatMap(({ lines }) => lines)]
}

function formatFact({ text, server, witness }: WayStage['facts'][number], style: Style): string {
  const who = [server, witness === 'observed' ? '' : witness].filter((part) => part !== '').join(', ')
  return printableLine(text) + (who === '' ? '' : style.dim(`   [${who}]`))
}

function formatDialogue(
  { server, phases, seenByBoth }: WayDialogue,
  stage: Stage,
  style: Style,
  wire: boolean,
): { summary: string[]; lines: string[] } {
  const { handshaking, transfer, closure } = phases
  const count = handshaking.length + transfer.length + closure.length
  const counted = `${count} ${count === 1 ? 'line' : 'lines'}`
  const witness = seenByBoth ? 'seen by both servers' : server
  if (!wire) return { summary: [style.dim(`${counted}${witness === '' ? '' : `, ${witness}`}`)], lines: [] }
  const summary = [style.dim(witness === '' ? counted : `[${witness}]`)]
  // The lecture's three phases are SMTP's; a mailbox protocol has states instead.
  const named = stage === 'spoken' || stage === 'handed-in'
  const parts = named
    ? ([
        ['handshaking', handshaking],
        ['transfer', transfer],
        ['closure', closure],
      ] as const)
    : ([['', [...handshaking, ...transfer, ...closure]]] as const)
  const lines = parts.flatMap(([name, part]) => {
    if (part.length === 0) return []
    const spoken = formatLines(part, style)
    return name === '' ? spoken : [`${indent}${style.dim(name)}`, ...spoken]
  })
  return { summary, lines }
}

/** With the time since the line before. */
function formatLines(lines: readonly WireLine[], style: Style): string[] {
  let before = lines[0]?.dtUs ?? 0
  return lines.map(({ side, text, dtUs }) => {
    const sinceMs = Math.max(0, dtUs - before) / 1_000
    before = dtUs
    const paint = side === 'C' ? style.client : style.server
    const spoken = `${indent}  ${paint(`${side}: ${printableLine(decodeOctets(text))}`)}`
    return sinceMs < 0.1 ? spoken : `${spoken}  ${style.dim(`+${sinceMs.toFixed(1)} ms`)}`
  })
}

/** Wire lines have one char per octet; people read UTF-8, where it is some. */
function decodeOctets(text: string): string {
  if (!/[\x80-\xff]/.test(text) || /[^\x00-\xff]/.test(text)) return text
  return new TextDecoder().decode(Buffer.from(text, 'latin1'))
}
