/** Every command as a value. What a client may send is this union, and nothing else reaches the session. */
import type { AppendCommand } from './append.ts'
import type { FetchItem } from './fetch.ts'
import type { ListCommand } from './list.ts'
import type { SearchKey } from './search.ts'
import type { SequenceSet } from './sequence-set.ts'
import type { StatusItem } from './status-items.ts'

/** Commands without arguments. */
export type PlainName =
  | 'CAPABILITY'
  | 'CHECK'
  | 'CLOSE'
  | 'IDLE'
  | 'LOGOUT'
  | 'NAMESPACE'
  | 'NOOP'
  | 'STARTTLS'
  | 'UNSELECT'

interface SetCommand {
  readonly set: SequenceSet
  /** Whether the set names UIDs, RFC 3501 §6.4.8. */
  readonly uid: boolean
}

export type Command =
  | { readonly name: PlainName }
  | { readonly name: 'LOGIN'; readonly login: string; readonly password: string }
  | {
      readonly name: 'AUTHENTICATE'
      readonly mechanism: string
      /** RFC 4959 §3, still in base64; `=` is the empty response; null when there is none. */
      readonly initial: string | null
    }
  | { readonly name: 'ENABLE'; readonly capabilities: readonly string[] }
  /** RFC 2971 §3.1. */
  | { readonly name: 'ID'; readonly fields: ReadonlyMap<string, string | null> }
  | { readonly name: 'SELECT' | 'EXAMINE'; readonly mailbox: string }
  | { readonly name: 'CREATE'; readonly mailbox: string; readonly use: readonly string[] }
  | { readonly name: 'DELETE' | 'SUBSCRIBE' | 'UNSUBSCRIBE'; readonly mailbox: string }
  | { readonly name: 'RENAME'; readonly mailbox: string; readonly newName: string }
  /** Reference and pattern stay as on the wire, because the pattern is matched there. */
  | { readonly name: 'LSUB'; readonly reference: string; readonly pattern: string }
  | ListCommand
  | { readonly name: 'STATUS'; readonly mailbox: string; readonly items: readonly StatusItem[] }
  | AppendCommand
  | { readonly name: 'EXPUNGE' /** RFC 4315 §2.1; null: all of them. */; readonly set: SequenceSet | null }
  | { readonly name: 'SEARCH'; readonly uid: boolean; readonly key: SearchKey }
  | (SetCommand & { readonly name: 'FETCH'; readonly items: readonly FetchItem[] })
  | (SetCommand & {
      readonly name: 'STORE'
      readonly op: 'set' | 'add' | 'remove'
      readonly silent: boolean
      readonly flags: number
      readonly keywords: readonly string[]
    })
  | (SetCommand & { readonly name: 'COPY' | 'MOVE'; readonly mailbox: string })

export type CommandName = Command['name']
