/** The thread of `verify`. */
import { workerData } from 'node:worker_threads'
import { inThread } from '../backup/run-thread.ts'
import { verify, type VerifyData } from './verify.ts'

inThread((progress) => verify(workerData as VerifyData, progress))
