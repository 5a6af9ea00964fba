/**
 * A disk as POSIX promises it, not as ext4 happens to be. It follows a trace and can say at any point what could be found
 * after the power was cut there:
 *
 * - what an fsync or fdatasync of the file covered is there;
 * - every other write or truncation is there, is not, or is torn: some of its 512-octet sectors are, and the others hold
 *   what was there before, zeros or anything;
 * - an entry of a folder (a file made, renamed, removed) is certain after an fsync of that folder only. Of one rename
 *   either name or both are left, never neither.
 *
 * Not modelled: a disk that lies about fsync, and rot of what lies still.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { constants } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import type { Chance } from './random.ts'
import type { TraceRecord } from './trace.ts'

const sectorOctets = 512

type Change =
  | { readonly at: number; readonly kind: 'write'; readonly offset: number; readonly data: Buffer }
  | { readonly at: number; readonly kind: 'truncate'; readonly offset: number }

class FileNode {
  #octets = Buffer.alloc(0)
  #length = 0
  pending: Change[] = []

  /** All that was done before `at` is on the disk. */
  sync(at: number): void {
    const covered = this.pending.filter((change) => change.at < at)
    this.pending = this.pending.filter((change) => change.at >= at)
    for (const change of covered) {
      const end = change.kind === 'write' ? change.offset + change.data.length : change.offset
      this.#grow(end)
      if (change.kind === 'write') this.#octets.set(change.data, change.offset)
      else this.#octets.fill(0, end)
      this.#length = change.kind === 'write' ? Math.max(this.#length, end) : end
    }
  }

  get durable(): Buffer {
    return this.#octets.subarray(0, this.#length)
  }

  #grow(octets: number): void {
    if (octets <= this.#octets.length) return
    const larger = Buffer.alloc(Math.max(octets, this.#octets.length * 2))
    larger.set(this.durable)
    this.#octets = larger
  }
}

interface Entry {
  readonly folder: FolderNode
  readonly at: number
  readonly name: string
  /** Null: removed. */
  readonly node: Node | null
  /** Of the old name of a rename: that of the new one. */
  readonly after: Entry | null
}

class FolderNode {
  readonly live = new Map<string, Node>()
  readonly durable = new Map<string, Node>()
  pending: Entry[] = []

  enter(at: number, name: string, node: Node | null, after: Entry | null = null): Entry {
    if (node === null) this.live.delete(name)
    else this.live.set(name, node)
    const entry: Entry = { folder: this, at, name, node, after }
    this.pending.push(entry)
    return entry
  }

  sync(at: number): void {
    for (const entry of this.pending.filter((entry) => entry.at < at)) apply(this.durable, entry)
    this.pending = this.pending.filter((entry) => entry.at >= at)
  }
}

type Node = FileNode | FolderNode

function apply(entries: Map<string, Node>, { name, node }: Entry): void {
  if (node === null) entries.delete(name)
  else entries.set(name, node)
}

/** What becomes of what was not synced: nothing of it is there, all, all up to a moment, or each by chance. */
export type Fate = 'none' | 'all' | 'prefix' | 'mix'
export const fates: readonly Fate[] = ['none', 'all', 'prefix', 'mix']

export class DiskModel {
  readonly #root: string
  readonly #top = new FolderNode()
  readonly #open = new Map<number, Node>()
  readonly #syncs = new Map<number, { node: Node; at: number }>()
  #at = 0

  /** @param root What the process called the folder. @param folder What is on the disk already. */
  constructor(root: string, folder: string | null = null) {
    this.#root = root
    if (folder !== null) load(folder, this.#top)
  }

  follow({ kind, fd, offset, extra, data }: TraceRecord): void {
    const at = ++this.#at
    const node = this.#open.get(fd)
    if (kind === 'open') this.#opened(at, fd, data.toString(), extra)
    else if (kind === 'close') this.#open.delete(fd)
    else if (kind === 'write') (node as FileNode).pending.push({ at, kind, offset, data })
    else if (kind === 'truncate') (node as FileNode).pending.push({ at, kind, offset })
    else if (kind === 'syncBegin') this.#syncs.set(extra, { node: node!, at })
    else if (kind === 'syncEnd') {
      const sync = this.#syncs.get(extra)!
      sync.node.sync(sync.at)
    } else if (kind === 'rename') this.#renamed(at, data.toString().split('\0'))
    else if (kind === 'mkdir') {
      // The folder itself is given.
      if (data.toString() !== this.#root) this.#enter(at, data.toString(), new FolderNode())
    } else if (kind === 'unlink' || kind === 'rmdir') this.#enter(at, data.toString(), null)
  }

  /** Writes what is found after the power was cut now. */
  cut(target: string, chance: Chance, fate: { readonly data: Fate; readonly entries: Fate }): void {
    const until = chance.below(this.#at + 1)
    const kept = this.#chooseEntries(chance, fate.entries, until)
    const write = (folder: FolderNode, path: string): void => {
      mkdirSync(path, { recursive: true })
      const entries = new Map(folder.durable)
      for (const entry of folder.pending) if (kept.has(entry)) apply(entries, entry)
      for (const [name, node] of entries) {
        if (node instanceof FolderNode) write(node, join(path, name))
        else writeFile(join(path, name), node, chance, fate.data, until)
      }
    }
    write(this.#top, target)
  }

  /** Of each name a random number of the first changes is kept, or as `fate` says. */
  #chooseEntries(chance: Chance, fate: Fate, until: number): Set<Entry> {
    const all = pendingEntries(this.#top).sort((a, b) => a.at - b.at)
    const kept = new Set<Entry>()
    const stopped = new Map<FolderNode, Set<string>>()
    const still = new Set(all)
    for (const entry of all) {
      const keep =
        fate === 'all' || (fate === 'prefix' ? entry.at < until : fate === 'mix' && chance.next() < 0.5)
      const names = stopped.get(entry.folder) ?? new Set()
      stopped.set(entry.folder, names)
      // The old name of a rename goes only when the new one is there.
      const lacks = entry.after !== null && still.has(entry.after) && !kept.has(entry.after)
      if (keep && !lacks && !names.has(entry.name)) kept.add(entry)
      else names.add(entry.name)
    }
    return kept
  }

  #opened(at: number, fd: number, path: string, flags: number): void {
    let node = this.#find(path)
    if (node === null) {
      node = new FileNode()
      this.#enter(at, path, node)
    } else if (node instanceof FileNode && (flags & constants.O_TRUNC) !== 0) {
      node.pending.push({ at, kind: 'truncate', offset: 0 })
    }
    this.#open.set(fd, node)
  }

  #renamed(at: number, [from, to]: string[]): void {
    const node = this.#find(from!)!
    const added = this.#enter(at, to!, node)
    this.#enter(at, from!, null, added)
  }

  #enter(at: number, path: string, node: Node | null, after: Entry | null = null): Entry {
    const folder = this.#find(dirname(path)) as FolderNode
    return folder.enter(at, path.slice(path.lastIndexOf(sep) + 1), node, after)
  }

  #find(path: string): Node | null {
    let node: Node = this.#top
    for (const name of relative(this.#root, path).split(sep)) {
      if (name === '' || name === '.') continue
      const next: Node | undefined = node instanceof FolderNode ? node.live.get(name) : undefined
      if (next === undefined) return null
      node = next
    }
    return node
  }
}

function pendingEntries(folder: FolderNode): Entry[] {
  const below = new Set([...folder.live.values(), ...folder.durable.values()])
  const folders = [...below].filter((node) => node instanceof FolderNode)
  return [...folder.pending, ...folders.flatMap(pendingEntries)]
}

function writeFile(path: string, node: FileNode, chance: Chance, fate: Fate, until: number): void {
  const fd = openSync(path, 'w', 0o600)
  try {
    writeAll(fd, node.durable, 0)
    for (const change of node.pending) {
      if (fate === 'none' || (fate === 'prefix' && change.at >= until)) continue
      const how = fate === 'mix' ? chance.below(3) : 0
      if (how === 1) continue
      if (change.kind === 'truncate') ftruncateSync(fd, change.offset)
      else if (how === 0) writeAll(fd, change.data, change.offset)
      else tear(fd, change.offset, change.data, chance)
    }
  } finally {
    closeSync(fd)
  }
}

/** Writes some sectors of it. Where the file ended before, the others may be there too, with anything in them. */
function tear(fd: number, offset: number, data: Buffer, chance: Chance): void {
  const stale = chance.below(4) === 0
  for (let at = offset; at < offset + data.length; ) {
    const end = Math.min((Math.floor(at / sectorOctets) + 1) * sectorOctets, offset + data.length)
    if (chance.next() < 0.5) writeAll(fd, data.subarray(at - offset, end - offset), at)
    else if (stale) writeAll(fd, Buffer.alloc(end - at, chance.below(256)), at)
    at = end
  }
}

function writeAll(fd: number, octets: Buffer, position: number): void {
  for (let at = 0; at < octets.length; ) at += writeSync(fd, octets, at, octets.length - at, position + at)
}

function load(path: string, folder: FolderNode): void {
  for (const item of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, item.name)
    const node = item.isDirectory() ? new FolderNode() : new FileNode()
    if (node instanceof FolderNode) load(below, node)
    else {
      node.pending.push({ at: -1, kind: 'write', offset: 0, data: readFileSync(below) })
      node.sync(0)
    }
    folder.live.set(item.name, node)
    folder.durable.set(item.name, node)
  }
}
