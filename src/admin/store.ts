import { Hono } from 'hono'
import type { CleanProgress, CleanReport } from '../store/housekeeping.ts'
import { type AdminError, translateError } from './admin-error.ts'
import type { AdminOptions } from './admin-options.ts'

/** How a pass that somebody asked for stands. */
export interface CleanState {
  readonly running: boolean
  readonly progress: CleanProgress | null
  /** Of the last one that ended. */
  readonly report: CleanReport | null
  readonly error: AdminError | null
}

export function storeRoutes({ store, log }: AdminOptions): Hono {
  let state: CleanState = { running: false, progress: null, report: null, error: null }

  async function clean(): Promise<void> {
    state = { running: true, progress: null, report: null, error: null }
    try {
      const report = await store.clean((progress) => {
        state = { ...state, progress }
      })
      state = { ...state, running: false, report }
    } catch (error) {
      log.error('the housekeeping failed', { error })
      state = { ...state, running: false, error: translateError(error) }
    }
  }

  return new Hono()
    .get('/', async (context) => context.json(await store.stat()))
    .post('/clean', (context) => {
      if (!state.running) void clean()
      return context.json({ running: true }, 202)
    })
    .get('/clean', (context) => {
      if (state.error !== null) throw state.error
      return context.json(state)
    })
}
