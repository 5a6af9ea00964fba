import * as errors from '../errors.ts'
import type { WriterError } from './protocol.ts'

const classes = errors as unknown as { readonly [name: string]: typeof errors.StoreError | undefined }

/** The error that the other thread meant. */
export function errorOf({ name, message, remedy }: WriterError): Error {
  if (name === errors.StoreUnopenable.name) return new errors.StoreUnopenable(message, remedy ?? '')
  const Class = classes[name]
  return Class === undefined ? new Error(message) : new Class(message)
}
