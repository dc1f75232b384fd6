-- A channel's health and the rate it has learned: columns of its pace row, which all senders obey.
-- What to do is decided by them (actors/lib/decide/breaker.h, rate.h); here it happens once, by
-- whoever comes first.

-- name: health_look
-- role: fan_sender
-- (account, channel) -> interval, configured interval, state, reason, times, microseconds until the
-- row's instant, who tries it
SELECT interval_us, configured_us, health, health_reason, health_times, health_until - fan_now(),
  prober
FROM channel_pace WHERE account_id = $1 AND channel_id = $2;

-- name: health_open
-- role: fan_sender
-- Leave the channel alone: closed until now, or half open and tried by us. No row: it was somebody
-- else's to say. (account, type, run: null, chunk: null, body of the event, channel, reason, pause,
-- sender, 1: for longer than the last time)
WITH u AS (
  UPDATE channel_pace SET health = 1, health_reason = $7::smallint,
    health_times = health_times + $10::int, health_until = fan_now() + $8::bigint, prober = NULL
  WHERE account_id = $1 AND channel_id = $6
    AND (health = 0 OR health = 2 AND prober = $9::bigint)
  RETURNING health_times),
e AS (
  INSERT INTO event (account_id, type, run_id, chunk_id, body)
  SELECT $1, $2::int, $3::bigint, $4::bigint, $5::bytea FROM u)
SELECT health_times FROM u;

-- name: health_try
-- role: fan_sender
-- Be the one whose message tries it: its time is over, or that of whoever tried before. No row:
-- another one is. (account, type, run: null, chunk: null, body, channel, how long nobody else may,
-- sender)
WITH u AS (
  UPDATE channel_pace SET health = 2, health_until = fan_now() + $7::bigint, prober = $8::bigint
  WHERE account_id = $1 AND channel_id = $6 AND health > 0 AND health_until <= fan_now()
  RETURNING health_times),
e AS (
  INSERT INTO event (account_id, type, run_id, chunk_id, body)
  SELECT $1, $2::int, $3::bigint, $4::bigint, $5::bytea FROM u)
SELECT health_times FROM u;

-- name: health_close
-- role: fan_sender
-- It works again. (account, type, run: null, chunk: null, body, channel, sender)
WITH u AS (
  UPDATE channel_pace SET health = 0, health_reason = 0, health_times = 0, health_until = 0,
    prober = NULL
  WHERE account_id = $1 AND channel_id = $6 AND health = 2 AND prober = $7::bigint
  RETURNING health_times),
e AS (
  INSERT INTO event (account_id, type, run_id, chunk_id, body)
  SELECT $1, $2::int, $3::bigint, $4::bigint, $5::bytea FROM u)
SELECT health_times FROM u;

-- name: health_throttled
-- role: fan_sender
-- The provider says we are too fast: everybody waits, and is slower from now on. The rate is cut
-- from what we know it to be, and once within so long.
-- (account, channel, wait, interval as we know it, the new one, cut every)
UPDATE channel_pace SET tat = greatest(tat, fan_now() + $3::bigint), throttled_at = fan_now(),
  learned_at = CASE WHEN interval_us = $4::bigint AND learned_at <= fan_now() - $6::bigint
    THEN fan_now() ELSE learned_at END,
  interval_us = CASE WHEN interval_us = $4 AND learned_at <= fan_now() - $6 THEN $5::bigint
    ELSE interval_us END
WHERE account_id = $1 AND channel_id = $2 RETURNING interval_us;

-- name: health_grow
-- role: fan_sender
-- Be a little faster after a clean while. (account, channel, interval as we know it, the new one,
-- how long)
UPDATE channel_pace SET interval_us = $4::bigint, learned_at = fan_now()
WHERE account_id = $1 AND channel_id = $2 AND interval_us = $3::bigint
  AND greatest(throttled_at, learned_at) <= fan_now() - $5::bigint
RETURNING interval_us;
