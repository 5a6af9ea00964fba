/** The tables of journey.db. Not migrated: a file of another version is set aside, as a damaged one is. */
export const journeyVersion = 2

export const journeyTables = `
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -8000;
CREATE TABLE IF NOT EXISTS journey (
  journey INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  started_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  facts TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS journey_changed ON journey (changed_at);

-- What journeys are found by: the hash of a kind and a value (keys.ts), compared again with the facts.
CREATE TABLE IF NOT EXISTS found (
  key INTEGER NOT NULL,
  journey INTEGER NOT NULL,
  PRIMARY KEY (key, journey)
) WITHOUT ROWID;
-- Journeys whose facts have keys that are not in found yet.
CREATE TABLE IF NOT EXISTS unkeyed (journey INTEGER PRIMARY KEY);

-- codec: 0 text, 1 zstd.
CREATE TABLE IF NOT EXISTS entry (
  entry INTEGER PRIMARY KEY,
  journey INTEGER NOT NULL,
  at INTEGER NOT NULL,
  wire INTEGER NOT NULL,
  part INTEGER NOT NULL,
  codec INTEGER NOT NULL,
  events NOT NULL
);
CREATE INDEX IF NOT EXISTS entry_journey ON entry (journey);
CREATE INDEX IF NOT EXISTS entry_wire ON entry (at) WHERE wire = 1;
PRAGMA user_version = ${journeyVersion};
`
