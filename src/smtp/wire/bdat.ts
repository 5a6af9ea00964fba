import { refuse } from './reply.ts'

/** BDAT, RFC 3030 §2. */
export interface BdatCommand {
  /** How many octets follow the command line. */
  readonly octets: number
  readonly last: boolean
}

/**
 * bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ]
 *
 * @throws {Refusal} 501: nobody knows then how many of the octets that follow are no commands.
 */
export function parseBdat(args: string): BdatCommand {
  const found = /^([0-9]{1,15})(?: (LAST))? *$/i.exec(args)
  if (found === null)
    throw refuse(501, '5.5.4', 'Cannot read BDAT: expected a number of octets and perhaps LAST')
  return { octets: Number(found[1]), last: found[2] !== undefined }
}
