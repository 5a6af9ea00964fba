import type { Config } from '../base/config.ts'
import type { JourneyEntry, JourneyEvent, JourneySink } from '../journey/event.ts'

/**
 * What a configured level, asked for each time, lets through: `full` everything, `envelope` all but the lines that were spoken, `facts` only
 * what a journey is found by (sender, recipients, subject, state), `off` nothing.
 */
export function journeysAtLevel(level: () => Config['journey']['level'], sink: JourneySink): JourneySink {
  return {
    append(entry) {
      const now = level()
      if (now === 'off') return
      const known = reduced(entry, now)
      if (known.events.length > 0 || known.facts !== undefined) sink.append(known)
    },
  }
}

function reduced(entry: JourneyEntry, level: 'full' | 'envelope' | 'facts'): JourneyEntry {
  if (level === 'full') return entry
  return level === 'facts' ? withoutEvents(entry) : withoutLines(entry)
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
