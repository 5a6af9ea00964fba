/** What the configuration says about the outgoing queue. */
export interface QueueConfig {
  /** After the first attempt, the second …, the last for all further ones; null: the queue's own. */
  readonly retryMs: readonly number[] | null
  /** Outgoing connections, all destinations together. */
  readonly connections: number
  readonly connectionsPerDestination: number
  readonly messagesPerConnection: number
}

export const defaultQueueConfig: QueueConfig = {
  retryMs: null,
  connections: 100,
  connectionsPerDestination: 10,
  messagesPerConnection: 100,
}
