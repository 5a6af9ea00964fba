import { fieldNames } from '../message/field-filter.ts'

/**
 * What is taken out of a message that is handed in, so that nobody who gets it learns of blind copies: RFC 5322 §3.6.3,
 * first of its three ways.
 */
export const blindCopies = fieldNames('bcc', 'resent-bcc')
