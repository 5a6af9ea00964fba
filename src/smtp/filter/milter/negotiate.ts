/** The first exchange on a connection: what the milter may do, and what it wants to hear. */
import { type Packet, MilterFault, writePacket } from './packet.ts'
import {
  command,
  type MacroStage,
  macroStages,
  milterVersion,
  offeredActions,
  offeredSteps,
} from './protocol.ts'

export interface Agreement {
  readonly version: number
  readonly actions: number
  readonly steps: number
  /** Names of macros for the stages that the milter chose them for. */
  readonly macros: ReadonlyMap<MacroStage, readonly string[]>
}

export function writeOffer(): Buffer {
  return writePacket(command.negotiate, words(milterVersion, offeredActions, offeredSteps))
}

/** @throws {MilterFault} It wants what was not offered, or speaks another version. */
export function readAgreement({ letter, data }: Packet): Agreement {
  if (letter !== command.negotiate || data.length < 12) throw new MilterFault('does not negotiate')
  const [version, actions, steps] = [data.readUInt32BE(0), data.readUInt32BE(4), data.readUInt32BE(8)]
  if (version < 2 || version > milterVersion) throw new MilterFault(`speaks version ${version}, not 2 to 6`)
  if ((actions & ~offeredActions) !== 0)
    throw new MilterFault(`wants to do what is unknown: 0x${actions.toString(16)}`)
  // Bits above ours say how large pieces of a body may be; ours are never larger than all of them allow.
  return { version, actions, steps: steps & offeredSteps, macros: readMacroLists(data.subarray(12)) }
}

/** *( uint32 stage, names NUL ); names are separated by spaces. */
function readMacroLists(data: Buffer): Map<MacroStage, readonly string[]> {
  const lists = new Map<MacroStage, readonly string[]>()
  let at = 0
  while (data.length - at >= 5) {
    const stage = macroStages[data.readUInt32BE(at)]
    const end = data.indexOf(0, at + 4)
    if (end < 0) throw new MilterFault('wrote a list of macros without an end')
    const names = data.toString('latin1', at + 4, end).split(/[ ,]+/)
    if (stage !== undefined) lists.set(stage, names.filter((name) => name !== '').map(plainName))
    at = end + 1
  }
  return lists
}

/** `{mail_addr}` and `mail_addr` are the same. */
export function plainName(name: string): string {
  return name.replace(/^\{(.*)\}$/, '$1')
}

function words(...numbers: readonly number[]): Buffer {
  const octets = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) octets.writeUInt32BE(number, 4 * index)
  return octets
}
