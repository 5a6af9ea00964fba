/**
 * The tables of journey.db. A file of version 3 gets a column, and what is in it stays; one of version 2 is moved into
 * them (old-form.ts), any other is set aside.
 */
export const journeyVersion = 4
export const versionWithFactsInRows = 3

export const journeyPragmas = `
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -8000;
`

export const journeyTables = `
CREATE TABLE IF NOT EXISTS journey (
  journey INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  started_at INTEGER NOT NULL,
  -- Numbers of those that have to do with it, a space between.
  batches TEXT NOT NULL,
  -- JSON of what was known of it when the file was of version 3; '': all of it is in the batches.
  facts TEXT NOT NULL
);

-- What was handed over together, packed-batch.ts: zstd. It goes as a whole, and the journeys that began in it with it.
CREATE TABLE IF NOT EXISTS batch (
  batch INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  first_journey INTEGER NOT NULL,
  last_journey INTEGER NOT NULL,
  events NOT NULL,
  -- Null in those of version 3; their events and wire are JSON, which is text when it is short.
  heads BLOB
);
CREATE INDEX IF NOT EXISTS batch_at ON batch (at);
CREATE TABLE IF NOT EXISTS wire (
  batch INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  events NOT NULL
);
CREATE INDEX IF NOT EXISTS wire_at ON wire (at);

-- What journeys are found by, key-index.ts.
CREATE TABLE IF NOT EXISTS found (place INTEGER PRIMARY KEY, pairs BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS unkeyed (batch INTEGER PRIMARY KEY, pairs BLOB NOT NULL);
PRAGMA user_version = ${journeyVersion};
`

export const columnOfHeads = 'ALTER TABLE batch ADD COLUMN heads BLOB'
