import type { SaslExchange, SaslMechanism, SaslStep } from './mechanism.ts'
import { readCredential } from './credential-text.ts'

/**
 * LOGIN, draft-murchison-sasl-login: obsolete, and still all that some agents speak. The challenges are those of its
 * §2.2 note, because one widely deployed client looks at them.
 */
export const login: SaslMechanism = { name: 'LOGIN', start: () => new LoginExchange() }

class LoginExchange implements SaslExchange {
  #login: string | null = null

  /** An initial response is the user name: not in the draft, yet clients send it. */
  begin(initial: string | null): SaslStep {
    return initial === null ? { kind: 'challenge', challenge: 'Username:' } : this.next(initial)
  }

  next(response: string): SaslStep {
    const text = readCredential(response)
    if (text === null || text === '') {
      return { kind: 'malformed', reason: 'a part of LOGIN is empty, too long or not UTF-8' }
    }
    if (this.#login === null) {
      this.#login = text
      return { kind: 'challenge', challenge: 'Password:' }
    }
    return { kind: 'credentials', credentials: { authorisationId: '', login: this.#login, password: text } }
  }
}
