/**
 * What expunging leaves for a time, and what the housekeeping notes for itself.
 *
 * Nothing here is touched by a delivery, docs/decisions/100 and 101.
 */
export const sql = `
ALTER TABLE account ADD COLUMN quota_messages INTEGER;

-- 1: written by compaction; its bodies have been tried with zstd.
ALTER TABLE segment ADD COLUMN packed INTEGER NOT NULL DEFAULT 0;

-- A message that was expunged and can be put back. Its keywords are bits of the mailbox it was in.
CREATE TABLE tombstone (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  expunged_at INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  keywords INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  internal_date INTEGER NOT NULL,
  email INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, uid)
) WITHOUT ROWID;
CREATE INDEX tombstone_age ON tombstone (expunged_at);

-- A mailbox that was deleted, as it was: its messages lie in their table until its time is over. with_account 1: it went
-- with its whole account.
CREATE TABLE deleted_mailbox (
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
  deleted_at INTEGER NOT NULL,
  with_account INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox)
) WITHOUT ROWID;
CREATE INDEX deleted_mailbox_age ON deleted_mailbox (deleted_at);

CREATE TABLE removed_account (
  account INTEGER PRIMARY KEY,
  address TEXT NOT NULL,
  password TEXT,
  quota_octets INTEGER,
  quota_messages INTEGER,
  counter INTEGER NOT NULL,
  uidvalidity INTEGER NOT NULL,
  used_octets INTEGER NOT NULL,
  used_messages INTEGER NOT NULL,
  removed_at INTEGER NOT NULL
);

-- Up to this MODSEQ the mailbox does not remember any more what was expunged.
CREATE TABLE forgotten (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox)
) WITHOUT ROWID;

-- What has a UID below uidnext was in the mailbox at this time already: Trash and Junk only.
CREATE TABLE seen_there (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  at INTEGER NOT NULL,
  uidnext INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, at)
) WITHOUT ROWID;
`
