/** A body that has arrived whole and is waiting to be named by an `accept`. */
export interface StagedBody {
  readonly octets: number
  /** Small bodies in memory; larger ones already written to a file of their own and synced. */
  readonly content:
    | { readonly kind: 'memory'; readonly chunks: readonly Uint8Array[] }
    | { readonly kind: 'file'; readonly file: string }
  /** SHA-256 of the body; of one in memory it is computed when it is asked for. */
  readonly hash: Uint8Array
}

/** Bodies over this are streamed to a file while they arrive. */
export const inlineBodyOctets = 262_144

/** Where an arriving body goes. Memory stays under `inlineBodyOctets`, whatever the size. */
export interface BodySink {
  /**
   * Takes the next octets; they are not copied and must not change afterwards.
   *
   * @returns Nothing when more may be written at once, else a promise to wait for.
   * @throws {StoreUnavailable} The disk is full or fails.
   */
  write(chunk: Uint8Array): Promise<void> | undefined
  /** @throws {StoreUnavailable} */
  finish(): StagedBody | Promise<StagedBody>
  /** Forgets it; safe at any time, also after `finish` if it was not accepted. */
  abort(): void
}

/** Where a body lies; opaque to all but the store. */
export interface BodyRef {
  readonly accountId: number
  readonly blobId: number
  readonly octets: number
}
