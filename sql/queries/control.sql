-- What holds for the whole installation: the kill switch, and the hold on a database that is not
-- the one that was confirmed.

-- name: control_get
-- role: fan_gateway, fan_scheduler, fan_owner
-- With the database's time, in microseconds.
SELECT send_enabled, stop_reason, hold_reason, changed_at, changed_by, fan_now(), confirmed
FROM ctl;

-- name: control_set
-- role: fan_gateway, fan_owner
-- (whether anything may be sent, why not, who says so)
UPDATE ctl SET send_enabled = $1::boolean, stop_reason = CASE WHEN $1 THEN NULL ELSE $2::text END,
  changed_at = statement_timestamp(), changed_by = $3::text;

-- name: control_confirm
-- role: fan_gateway, fan_owner
-- A person says that this database may send. (who) -> a row when it was held
UPDATE ctl SET hold_reason = NULL, confirmed = true, changed_at = statement_timestamp(),
  changed_by = $1::text WHERE hold_reason IS NOT NULL RETURNING confirmed;
