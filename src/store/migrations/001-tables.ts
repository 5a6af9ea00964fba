/**
 * The first tables.
 *
 * Keys of per-account tables begin with the account, so that the same rows can live in a distributed PostgreSQL; MODSEQs
 * and the numbers of mailboxes and threads come from one counter of the account. Two tables are keyed by a number of the
 * whole shard instead, `email` and `blob`: their rows are wide or many, and appended at one end they cost a delivery a
 * fifth of what they cost scattered over the accounts, docs/decisions/010. Those numbers are never used again either.
 */
export const sql = `
CREATE TABLE domain (
  domain TEXT PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE account (
  account INTEGER PRIMARY KEY,
  address TEXT NOT NULL,
  password TEXT,
  quota_octets INTEGER
);

-- What every delivery changes, apart from the rest of the account so that many fit into a page.
CREATE TABLE account_state (
  account INTEGER PRIMARY KEY,
  counter INTEGER NOT NULL,
  uidvalidity INTEGER NOT NULL,
  used_octets INTEGER NOT NULL,
  used_messages INTEGER NOT NULL
);
-- Account 0 owns what the system itself sends.
INSERT INTO account_state VALUES (0, 0, 0, 0, 0);

-- The only claim on names: an account's or an alias's.
CREATE TABLE address (
  address TEXT PRIMARY KEY,
  domain TEXT NOT NULL,
  account INTEGER,
  targets TEXT
) WITHOUT ROWID;
CREATE INDEX address_domain ON address (domain, account);

CREATE TABLE mailbox (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  name TEXT NOT NULL,
  uidvalidity INTEGER NOT NULL,
  uidnext INTEGER NOT NULL,
  highestmodseq INTEGER NOT NULL,
  total INTEGER NOT NULL,
  unseen INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  special_use TEXT,
  PRIMARY KEY (account, mailbox)
) WITHOUT ROWID;
CREATE UNIQUE INDEX mailbox_name ON mailbox (account, name);

CREATE TABLE subscription (
  account INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (account, name)
) WITHOUT ROWID;

CREATE TABLE keyword (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  bit INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (account, mailbox, bit)
) WITHOUT ROWID;

CREATE TABLE message (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  keywords INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  internal_date INTEGER NOT NULL,
  email INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, uid)
) WITHOUT ROWID;

CREATE TABLE expunged (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, modseq, uid)
) WITHOUT ROWID;

-- places lists the messages that show this email, as 'mailbox:uid mailbox:uid'.
CREATE TABLE email (
  email INTEGER PRIMARY KEY,
  account INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  blob INTEGER NOT NULL,
  body_octets INTEGER NOT NULL,
  places TEXT NOT NULL,
  prefix TEXT NOT NULL,
  envelope TEXT NOT NULL,
  body_structure TEXT NOT NULL,
  structure TEXT NOT NULL,
  journey TEXT
);

-- Message-IDs seen, hashed together with the base subject: what a new message's references are looked up in.
CREATE TABLE refs (
  account INTEGER NOT NULL,
  hash INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  PRIMARY KEY (account, hash)
) WITHOUT ROWID;

-- Where a body lies: in a segment at an offset, or in a file of its own. Each row has one owner, an email or a queue
-- row; several rows may point at the same bytes.
CREATE TABLE blob (
  blob INTEGER PRIMARY KEY,
  account INTEGER NOT NULL,
  segment INTEGER,
  offset INTEGER,
  octets INTEGER NOT NULL,
  stored INTEGER NOT NULL,
  codec INTEGER NOT NULL,
  hash BLOB NOT NULL,
  file TEXT
);
CREATE INDEX blob_file ON blob (file) WHERE file IS NOT NULL;

-- What expunging leaves to be cleared away later, a little at a time: one message (uid > 0), all messages of a deleted
-- mailbox (uid 0), or all that is left of an account (mailbox 0).
CREATE TABLE garbage (
  garbage INTEGER PRIMARY KEY,
  since INTEGER NOT NULL,
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  email INTEGER NOT NULL
);

-- Octets up to which rows may refer to a segment; what lies beyond was never acknowledged.
CREATE TABLE segment (
  segment INTEGER PRIMARY KEY,
  octets INTEGER NOT NULL,
  sealed INTEGER NOT NULL
);

CREATE TABLE counter (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counter VALUES ('account', 0), ('queue', 0), ('email', 0), ('blob', 0);

CREATE TABLE queue (
  account INTEGER NOT NULL,
  queue INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  leased_until INTEGER,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  delay_warned INTEGER NOT NULL,
  reverse_path TEXT NOT NULL,
  domain TEXT NOT NULL,
  prefix TEXT NOT NULL,
  eight_bit INTEGER NOT NULL,
  smtputf8 INTEGER NOT NULL,
  envid TEXT,
  ret TEXT,
  journey TEXT,
  blob INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  PRIMARY KEY (account, queue)
);
-- due_at is when somebody may take the row: its next attempt, or the end of the lease while it is held.
CREATE INDEX queue_due ON queue (due_at);
CREATE INDEX queue_number ON queue (queue);

CREATE TABLE queue_recipient (
  account INTEGER NOT NULL,
  queue INTEGER NOT NULL,
  n INTEGER NOT NULL,
  forward_path TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  last_reply TEXT,
  orcpt TEXT,
  notify TEXT,
  PRIMARY KEY (account, queue, n)
) WITHOUT ROWID;
`
