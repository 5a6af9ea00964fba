/**
 * Letters and bits of the Sendmail milter protocol, version 6. It has no RFC; these are the values that Sendmail's
 * libmilter, Postfix and the milters themselves agree on. docs/decisions/180.
 */

export const milterVersion = 6

/** What we say to a milter. */
export const command = {
  abort: 'A',
  body: 'B',
  connect: 'C',
  macro: 'D',
  endOfBody: 'E',
  helo: 'H',
  quitNewConnection: 'K',
  header: 'L',
  mail: 'M',
  endOfHeader: 'N',
  negotiate: 'O',
  quit: 'Q',
  rcpt: 'R',
  data: 'T',
  unknown: 'U',
} as const
export type CommandLetter = (typeof command)[keyof typeof command]

/** What a milter may change; the bits of the second number of a negotiation. */
export const action = {
  addHeaders: 0x001,
  changeBody: 0x002,
  addRecipients: 0x004,
  deleteRecipients: 0x008,
  changeHeaders: 0x010,
  quarantine: 0x020,
  changeSender: 0x040,
  addRecipientsWithParameters: 0x080,
  chooseMacros: 0x100,
} as const

/** All of them: what a milter did not ask for it may not do. */
export const offeredActions = Object.values(action).reduce((all, bit) => all | bit, 0)

/** Which steps a milter leaves out (`no…`), and which it does not answer (`quiet…`); the third number. */
export const step = {
  noConnect: 0x00_0001,
  noHelo: 0x00_0002,
  noMail: 0x00_0004,
  noRcpt: 0x00_0008,
  noBody: 0x00_0010,
  noHeaders: 0x00_0020,
  noEndOfHeader: 0x00_0040,
  quietHeader: 0x00_0080,
  noUnknown: 0x00_0100,
  noData: 0x00_0200,
  /** The milter may answer a piece of the body with SKIP. */
  skip: 0x00_0400,
  /** The milter wants to hear of recipients that we refuse. */
  refusedRecipients: 0x00_0800,
  quietConnect: 0x00_1000,
  quietHelo: 0x00_2000,
  quietMail: 0x00_4000,
  quietRcpt: 0x00_8000,
  quietData: 0x01_0000,
  quietUnknown: 0x02_0000,
  quietEndOfHeader: 0x04_0000,
  quietBody: 0x08_0000,
  /** Values of header fields with the space after the colon. */
  leadingSpace: 0x10_0000,
} as const

export const offeredSteps = Object.values(step).reduce((all, bit) => all | bit, 0)

/** One piece of a body; a milter may have a buffer of this size and no more. */
export const bodyPieceOctets = 65_535

/** Stages whose macros a milter may choose, by the number it writes. */
export const macroStages = ['connect', 'helo', 'mail', 'rcpt', 'data', 'endOfBody', 'endOfHeader'] as const
export type MacroStage = (typeof macroStages)[number]
