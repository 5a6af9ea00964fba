/** One connection to a milter: packets there and back, each wait within its time. */
import type { Socket } from 'node:net'
import type { Clock } from '../../../base/clock.ts'
import type { FilterPlace } from '../../../base/filter-config.ts'
import { type FilterSurroundings, placeName } from '../reach.ts'
import { type Agreement, readAgreement, writeOffer } from './negotiate.ts'
import { MilterFault, type Packet, PacketReader, writePacket } from './packet.ts'
import { command } from './protocol.ts'

/** Packets that nobody has asked for yet; past it no more are read. */
const packetsWaiting = 16
/** A milter that reads nothing any more has this long to take our QUIT. */
const farewellMs = 5_000

interface Waiter {
  resolve(packet: Packet): void
  reject(error: Error): void
}

export interface MilterTimes {
  readonly connectTimeoutMs: number
  readonly commandTimeoutMs: number
  readonly packetOctets: number
}

export class MilterConnection {
  readonly agreement: Agreement
  readonly #link: Link

  private constructor(link: Link, agreement: Agreement) {
    this.#link = link
    this.agreement = agreement
  }

  /** Connects and negotiates. @throws {Error} */
  static async open(
    place: FilterPlace,
    times: MilterTimes,
    { reach, clock }: FilterSurroundings,
  ): Promise<MilterConnection> {
    const socket = await reach(place, times.connectTimeoutMs)
    const link = new Link(socket, clock, times.packetOctets, placeName(place))
    try {
      link.write(writeOffer())
      return new MilterConnection(link, readAgreement(await link.next(times.commandTimeoutMs)))
    } catch (error) {
      link.destroy()
      throw error
    }
  }

  /** @returns When the milter has taken enough of it. */
  send(packet: Uint8Array): Promise<void> | undefined {
    return this.#link.write(packet)
  }

  next(timeoutMs: number): Promise<Packet> {
    return this.#link.next(timeoutMs)
  }

  quit(): void {
    this.#link.end(writePacket(command.quit))
  }

  destroy(): void {
    this.#link.destroy()
  }
}

class Link {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #reader: PacketReader
  readonly #name: string
  readonly #waiting: Packet[] = []
  #waiter: Waiter | null = null
  #error: Error | null = null

  constructor(socket: Socket, clock: Clock, packetOctets: number, name: string) {
    this.#socket = socket
    this.#clock = clock
    this.#reader = new PacketReader(packetOctets)
    this.#name = name
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new MilterFault(`at ${name} closed the connection`)))
  }

  write(octets: Uint8Array): Promise<void> | undefined {
    if (this.#error !== null) return Promise.reject(this.#error)
    if (this.#socket.write(octets)) return undefined
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
    })
  }

  next(timeoutMs: number): Promise<Packet> {
    const packet = this.#waiting.shift()
    if (packet !== undefined) {
      if (this.#waiting.length === 0) this.#socket.resume()
      return Promise.resolve(packet)
    }
    if (this.#error !== null) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      const late = (): void =>
        this.#fail(new MilterFault(`at ${this.#name} gave no answer in ${timeoutMs} ms`))
      const cancel = this.#clock.after(timeoutMs, late)
      this.#waiter = {
        resolve(found) {
          cancel()
          resolve(found)
        },
        reject(error) {
          cancel()
          reject(error)
        },
      }
    })
  }

  end(farewell: Uint8Array): void {
    this.#error ??= new MilterFault('was told that the session is over')
    const cancel = this.#clock.after(farewellMs, () => this.#socket.destroy())
    this.#socket.once('close', cancel)
    this.#socket.end(farewell, () => this.#socket.destroy())
  }

  destroy(): void {
    this.#fail(new MilterFault('is no longer asked'))
  }

  #read(chunk: Buffer): void {
    if (this.#error !== null) return
    try {
      for (const packet of this.#reader.push(chunk)) this.#take(packet)
    } catch (error) {
      this.#fail(error as Error)
    }
    if (this.#waiting.length > packetsWaiting) this.#socket.pause()
  }

  #take(packet: Packet): void {
    const waiter = this.#waiter
    this.#waiter = null
    if (waiter === null) this.#waiting.push(packet)
    else waiter.resolve(packet)
  }

  #fail(error: Error): void {
    this.#error ??= error
    this.#socket.destroy()
    const waiter = this.#waiter
    this.#waiter = null
    waiter?.reject(this.#error)
  }
}
