/** How long an expunged message can still be read by a session that has not been told, whatever the window. */
export const graceMs = 10 * 60_000
