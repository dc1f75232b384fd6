-- What people look at: messages, runs, totals and the event log.

-- name: report_runs
-- role: fan_gateway
-- A campaign's runs, newest first. (account, campaign, limit, offset)
SELECT id, occurrence, state, kind, channel_id, resolved, created_at, started_at, ended_at,
  coalesce(template_id, 0), coalesce(template_version, 0)
FROM run WHERE account_id = $1 AND campaign_id = $2::bigint
ORDER BY id DESC LIMIT $3::bigint OFFSET $4::bigint;

-- name: report_run_count
-- role: fan_gateway
-- (account, campaign)
SELECT count(*) FROM run WHERE account_id = $1 AND campaign_id = $2::bigint;

-- name: report_messages
-- role: fan_gateway
-- A campaign's written messages, newest first. The counters of its chunks say which of them hold
-- the page, so that no other is read. A message is being sent when it is pending below the
-- watermark of the chunk that answers for it; no counter says how many are, so for these all
-- chunks with pending messages are read: only those in flight have any.
-- (account, campaign, limit, offset, states, whether it is being sent or null)
WITH k AS MATERIALIZED (
  SELECT k.id, k.run_id, k.channel_id, k.variant, k.state, k.id << 9 AS lo, (k.id << 9) + 512 AS hi,
    (k.id << 9) + k.watermark AS begun, CASE WHEN k.state = 0 THEN 0 ELSE
      n_pending * (0 = ANY ($5::smallint[]))::int + n_retry * (1 = ANY ($5))::int
      + n_unknown * (2 = ANY ($5))::int + n_sent * (3 = ANY ($5))::int
      + n_failed * (4 = ANY ($5))::int + n_skipped * (5 = ANY ($5))::int
      + n_cancelled * (6 = ANY ($5))::int + n_unknown_final * (7 = ANY ($5))::int
      + n_expired * (8 = ANY ($5))::int END AS n
  FROM run r JOIN chunk k ON k.account_id = $1 AND k.run_id = r.id AND NOT k.is_retry
  WHERE r.account_id = $1 AND r.campaign_id = $2::bigint),
p AS MATERIALIZED (SELECT k.*, sum(n) OVER (ORDER BY id DESC) AS upto FROM k),
c AS MATERIALIZED (
  SELECT * FROM p
  WHERE n > 0 AND ($6::boolean IS NOT NULL OR upto > $4::bigint AND upto - n < $4 + $3::bigint)),
m AS (
  SELECT x.*, c.run_id, c.channel_id, c.variant, x.state = 0 AND CASE
      WHEN x.work IS NULL THEN c.state = 2 AND x.id < c.begun
      ELSE EXISTS (SELECT FROM chunk w WHERE w.account_id = $1 AND w.id = x.work AND w.state = 2
        AND x.id = ANY (w.items[1 : w.watermark])) END AS sending
  FROM c JOIN message x ON x.account_id = $1 AND x.id >= c.lo AND x.id < c.hi
    AND x.state = ANY ($5))
SELECT m.id, m.contact_id, m.state, m.sending, m.progress, m.flags, m.attempt, m.outcome, m.reason,
  m.code, m.provider_id, m.address, m.format, coalesce(m.body, b.body), m.sent_at, m.delivered_at,
  m.read_at, m.run_id, m.channel_id, m.variant
FROM m LEFT JOIN message_body b ON b.account_id = $1 AND b.id = m.id
WHERE $6 IS NULL OR m.sending = $6
ORDER BY m.id DESC LIMIT $3
OFFSET $4 - CASE WHEN $6 IS NULL THEN coalesce((SELECT min(upto - n) FROM c), $4) ELSE 0 END;

-- name: report_campaigns_by_state
-- role: fan_gateway
SELECT state, count(*) FROM campaign WHERE account_id = $1 GROUP BY state;

-- name: report_totals
-- role: fan_gateway
-- scan: the account's totals are the sum of all its chunks
-- All messages of the account, from the counters of their chunks.
SELECT coalesce(sum(size) FILTER (WHERE NOT is_retry), 0)::bigint,
  (coalesce(sum(n_pending), 0) + coalesce(sum(size) FILTER (WHERE state = 0), 0))::bigint,
  coalesce(sum(n_sent), 0)::bigint, coalesce(sum(n_failed), 0)::bigint,
  coalesce(sum(n_skipped), 0)::bigint, coalesce(sum(n_unknown + n_unknown_final), 0)::bigint,
  coalesce(sum(n_retry), 0)::bigint, coalesce(sum(n_delivered), 0)::bigint,
  coalesce(sum(n_read), 0)::bigint, coalesce(sum(n_undelivered), 0)::bigint,
  coalesce(sum(n_replied), 0)::bigint, coalesce(sum(n_unsubscribed), 0)::bigint
FROM chunk WHERE account_id = $1;

-- name: report_days
-- role: fan_gateway
-- Messages accepted by providers, by day (UTC). (account, since)
SELECT to_char(minute AT TIME ZONE 'UTC', 'YYYY-MM-DD'), sum(sent)::bigint, sum(failed)::bigint
FROM stat_minute WHERE account_id = $1 AND minute >= $2::timestamptz GROUP BY 1 ORDER BY 1;

-- name: report_events
-- role: fan_gateway
-- The log behind a place, as far as no transaction can still write before it.
-- (account, xid, id, limit)
SELECT id, xid, type, at, coalesce(run_id, 0), coalesce(chunk_id, 0), body FROM event
WHERE account_id = $1 AND (xid, id) > ($2::bigint, $3::bigint)
  AND xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY xid, id LIMIT $4::bigint;

-- name: report_moving
-- role: fan_gateway
-- Campaigns whose progress is worth showing: on their way, or ended within so many microseconds.
-- (account, age)
SELECT c.id, c.state, coalesce((SELECT max(r.id) FROM run r
    WHERE r.account_id = $1 AND r.campaign_id = c.id), 0)
FROM campaign c WHERE c.account_id = $1 AND (c.state IN (2, 3, 4)
  OR c.state >= 5 AND c.ended_at > fan_time(fan_now() - $2::bigint)) ORDER BY c.id DESC LIMIT 50;

-- name: report_importing
-- role: fan_gateway
-- The same for imports. (account, age)
SELECT id FROM import WHERE account_id = $1 AND (state IN (0, 1)
  OR ended_at > fan_time(fan_now() - $2::bigint)) ORDER BY id DESC LIMIT 20;

