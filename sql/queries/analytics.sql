-- Rolling the event log up, across accounts.

-- name: analytics_hold
-- role: fan_analytics
-- How far the log was read. No row: another process is reading it.
SELECT xid, id FROM event_cursor WHERE reader = 'analytics' FOR UPDATE SKIP LOCKED;

-- name: analytics_events
-- role: fan_analytics
-- Events behind a place, of every account, as far as no transaction can still write before them.
-- (xid, id, limit)
SELECT e.account_id, e.xid, e.id, e.type, e.at, e.body, coalesce(e.run_id, 0),
  coalesce((SELECT r.campaign_id FROM run r
    WHERE r.account_id = e.account_id AND r.id = e.run_id), 0)
FROM event e WHERE (e.xid, e.id) > ($1::bigint, $2::bigint)
  AND e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY e.xid, e.id LIMIT $3::bigint;

-- name: analytics_add
-- role: fan_analytics
-- Add counts to minutes. (accounts, campaigns, runs, minutes, planned, sent, failed, retry,
-- unknown, skipped, cancelled, delivered, read, undelivered, flagged)
INSERT INTO stat_minute AS s (account_id, campaign_id, run_id, minute, planned, sent, failed, retry,
  unknown, skipped, cancelled, delivered, read, undelivered, flagged)
SELECT u.account, u.campaign, u.run, fan_time(u.minute), u.planned, u.sent, u.failed, u.retry,
  u.unknown, u.skipped, u.cancelled, u.delivered, u.read, u.undelivered, u.flagged
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::int[],
  $7::int[], $8::int[], $9::int[], $10::int[], $11::int[], $12::int[], $13::int[], $14::int[],
  $15::int[])
  u(account, campaign, run, minute, planned, sent, failed, retry, unknown, skipped, cancelled,
  delivered, read, undelivered, flagged)
ON CONFLICT (account_id, campaign_id, run_id, minute) DO UPDATE SET
  planned = s.planned + excluded.planned, sent = s.sent + excluded.sent,
  failed = s.failed + excluded.failed, retry = s.retry + excluded.retry,
  unknown = s.unknown + excluded.unknown, skipped = s.skipped + excluded.skipped,
  cancelled = s.cancelled + excluded.cancelled,
  delivered = s.delivered + excluded.delivered, read = s.read + excluded.read,
  undelivered = s.undelivered + excluded.undelivered, flagged = s.flagged + excluded.flagged;

-- name: analytics_advance
-- role: fan_analytics
-- (xid, id)
UPDATE event_cursor SET xid = $1::bigint, id = $2::bigint WHERE reader = 'analytics';
