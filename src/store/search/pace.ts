/**
 * When the index follows the mail. Nobody waits for it unless he searches, and while mail streams in it would take the
 * processor from what takes the mail in. So mail gathers until the first of these; docs/decisions/280 has the figures.
 */

/** So many messages have come: what a search has to catch up with stays a fifth of a second of work. */
export const gatheredMax = 2_000
/** Nothing has come for so long, and the thread is there: the stream has ended. */
export const quietMs = 2_000
/** The oldest has waited so long, and the thread is there: where mail trickles in without end, it lags no more, on purpose. */
export const gatherMaxMs = 30_000
/**
 * The oldest has waited so long, and the thread is not there. To start it costs as much as to index some thousand
 * messages: it is not done for each of a few. A search would have to start it in any case.
 */
export const sleepMaxMs = 60 * 60_000
/**
 * An account's index begins when a search in it had to read more than this many messages, or octets of them: some 30 ms.
 * What is smaller is read as quickly as an index answers.
 */
export const readMessagesMax = 500
export const readOctetsMax = 8_388_608
/** To read a message's header only counts as so much of a message. */
export const headerPart = 0.25
/** Without a post to it the thread ends, and gives back its memory: 20 MB and more. */
export const idleMs = 5 * 60_000
/** After the store was opened: what an index that follows for everybody lacks is indexed when nothing urgent is going on. */
export const firstMs = 2_000
/** Expunged messages can be put back for days; the index forgets them some time after they are gone. */
export const clearMs = 24 * 60 * 60_000
export const firstClearMs = 60 * 60_000
