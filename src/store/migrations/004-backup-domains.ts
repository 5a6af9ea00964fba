/** Domains of others whose mail is taken while their own servers cannot. */
export const sql = `
-- primary_host: where it goes instead of the MX hosts; NULL: to them.
CREATE TABLE backup_domain (
  domain TEXT PRIMARY KEY,
  primary_host TEXT
) WITHOUT ROWID;
`
