import * as errors from '../errors.ts'
import type { WriterError } from './protocol.ts'

const classes: { readonly [name: string]: typeof errors.StoreError | undefined } = { ...errors }

/** The error that the other thread meant. */
export function errorOf({ name, message }: WriterError): Error {
  const Class = classes[name]
  return Class === undefined ? new Error(message) : new Class(message)
}
