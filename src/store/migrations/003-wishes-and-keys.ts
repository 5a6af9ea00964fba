/**
 * What MAIL asked for besides sender and size, and the keys that sign for a domain.
 *
 * `wishes` is NULL for nearly every row; so is the index of those that are more urgent than others almost empty.
 */
export const sql = `
-- JSON of DeliveryWishes; NULL: none.
ALTER TABLE queue ADD COLUMN wishes TEXT;
CREATE INDEX queue_urgent ON queue (due_at) WHERE json_extract(wishes, '$.priority') > 0;

-- private_key: PKCS #8, PEM. active_from and retired_at: milliseconds since 1970.
CREATE TABLE domain_key (
  domain TEXT NOT NULL,
  selector TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  private_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  active_from INTEGER NOT NULL,
  retired_at INTEGER,
  PRIMARY KEY (domain, selector)
) WITHOUT ROWID;
`
