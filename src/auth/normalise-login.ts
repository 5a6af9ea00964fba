import { normaliseAddress } from '../store/address.ts'

/**
 * Turns what a person wrote as user name into the address of an account. Without a domain the door's own is meant: the
 * lecture's `user bob`.
 *
 * @returns Null when it can be no account of ours.
 */
export function normaliseLogin(login: string, defaultDomain: string): string | null {
  return normaliseAddress(login.includes('@') ? login : `${login}@${defaultDomain}`)
}
