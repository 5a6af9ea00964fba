/** Bits: where in a message a needle may be. */
export const inHeader = 1
export const inBody = 2
