import type { Transaction } from './transaction.ts'

/** Leaves files of bodies where they are although no row names them any more, until as many calls have let them go. */
export function keepFiles(tx: Transaction, call: { readonly keep: boolean }): void {
  tx.keepers += call.keep ? 1 : -1
}
