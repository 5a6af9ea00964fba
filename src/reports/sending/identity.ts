/** As whom reports are sent. */
export interface ReportIdentity {
  /** Of the From field and the reverse-path; its domain is the submitter, and signs. */
  readonly address: string
  readonly organisation: string
  /** How people reach whoever runs this server: an address or a URL. */
  readonly contact: string | null
}

/** A-labels. */
export function submitterOf({ address }: ReportIdentity): string {
  return address.slice(address.lastIndexOf('@') + 1)
}
