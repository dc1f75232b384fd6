-- The event log: facts of ours, one row a batch, written in the transaction that made them true.

-- name: event_insert
-- role: fan_gateway, fan_scheduler, fan_audience, fan_renderer, fan_sender, fan_ingester
-- (account, type, run or null, chunk or null, body)
INSERT INTO event (account_id, type, run_id, chunk_id, body) VALUES ($1, $2::int, $3, $4,
  $5::bytea);

-- name: event_drop_old
-- role: fan_scheduler
-- scan: reads no further than its limit, in the order of the index
-- Forget events older than so many days, among so many of the oldest. (days, limit)
DELETE FROM event WHERE (account_id, id) IN (
  SELECT account_id, id FROM (SELECT account_id, id, at FROM event ORDER BY xid, id LIMIT $2) oldest
    WHERE at < statement_timestamp() - $1::int * interval '1 day');
