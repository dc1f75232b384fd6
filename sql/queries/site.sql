-- Whether this is the database that people know. As its owner, who may look at the cluster.

-- name: site_look
-- role: fan_owner
-- What it is now, whether it is on this machine, whether a person confirmed it a moment ago, and
-- what it was when it was taken for the right one (nulls: never).
SELECT (SELECT system_identifier FROM pg_control_system()),
  ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::bigint,
  (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
  'ctl'::regclass::oid::bigint, fan_site_files(),
  (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint, inet_server_addr() IS NULL,
  ctl.confirmed, s.id, s.system, s.timeline, s.database, s.tables, s.files_at, s.machine
FROM ctl LEFT JOIN site s ON true;

-- name: site_bind
-- role: fan_owner
-- It is the right one as it is. (system, timeline, database, tables, files or null, machine or
-- null) -> its id
INSERT INTO site (system, timeline, database, tables, files_at, machine)
VALUES ($1, $2, $3, $4, $5::bigint, $6::text)
ON CONFLICT (one) DO UPDATE SET system = $1, timeline = $2, database = $3, tables = $4,
  files_at = $5, machine = $6, confirmed_at = statement_timestamp() RETURNING id;

-- name: site_bound
-- role: fan_owner
-- The confirmation has been heard.
UPDATE ctl SET confirmed = false WHERE confirmed;

-- name: site_hold
-- role: fan_owner
-- It must be confirmed. (why) -> a row when it was not held before
UPDATE ctl SET hold_reason = $1::text, changed_at = statement_timestamp(),
  changed_by = 'the scheduler' WHERE hold_reason IS NULL RETURNING true;
