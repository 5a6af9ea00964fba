import type { Config } from '../base/config.ts'
import { type JourneyEntry, type JourneyEvent, type JourneySink, noJourneys } from '../journey/event.ts'

/**
 * What a configured level lets through: `full` everything, `envelope` all but the lines that were spoken, `facts` only
 * what a journey is found by (sender, recipients, subject, state), `off` nothing.
 */
export function journeysAtLevel(level: Config['journey']['level'], sink: JourneySink): JourneySink {
  if (level === 'off') return noJourneys
  if (level === 'full') return sink
  const reduced = level === 'facts' ? withoutEvents : withoutLines
  return {
    append(entry) {
      const { events, facts } = reduced(entry)
      if (events.length > 0 || facts !== undefined) sink.append({ ...entry, events })
    },
  }
}

function withoutEvents(entry: JourneyEntry): JourneyEntry {
  return { ...entry, events: [] }
}

function withoutLines(entry: JourneyEntry): JourneyEntry {
  const events = entry.events
    .filter(({ kind }) => kind !== 'wire')
    .map((event): JourneyEvent => {
      const { lines: _, ...data } = event.data
      return { ...event, data }
    })
  return { ...entry, events }
}
