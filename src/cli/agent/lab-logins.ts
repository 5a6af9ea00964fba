import { findRunningLab } from '../../lab/running-lab.ts'
import type { Login, ServerDoor } from './logins.ts'

/** The accounts of the Lab that this user has running; empty when none runs. */
export async function labLogins(): Promise<Login[]> {
  const lab = await findRunningLab()
  if (lab === null) return []
  return (lab.accounts ?? []).flatMap(({ address, password }) => {
    const domain = address.slice(address.lastIndexOf('@') + 1)
    const server = lab.servers.find((one) => one.domain === domain)
    if (server?.submission === undefined || server.imap === undefined) return []
    const door = (endpoint: string): ServerDoor => {
      const colon = endpoint.lastIndexOf(':')
      const port = Number(endpoint.slice(colon + 1))
      return { host: endpoint.slice(0, colon), port, tls: 'starttls', serverName: server.hostname }
    }
    return [
      { address, password, submission: door(server.submission), imap: door(server.imap), ca: lab.ca ?? null },
    ]
  })
}
