-- The chunk protocol. Rules that these statements keep, and must keep:
--   * open, close and release check epoch and owner; nobody else moves a claimed chunk;
--   * what stands below the watermark is never dispatched again, except by its owner, for what it
--     never started;
--   * chunk rows are locked first, ascending by id, then messages;
--   * a lease is locked in one statement and judged in the next (fan_now is the statement's time);
--   * a range on message.id comes from parameters or from plain columns of a materialized CTE, so
--     that it stays an index condition under row-level security;
--   * keys that come from a join stand beside it once more, as `= ANY (array)`, or in a LATERAL
--     that OFFSET 0 keeps whole: otherwise a planner that knows nothing yet about a table filled a
--     second ago may read the whole account and join that (measured: 14 ms a close);
--   * who has a chunk's key says state::int, so that the key is used and not the index of open
--     chunks;
--   * what a batch says of each message comes as arrays, looked up by the message's distance from
--     the first, or in the ascending order of ids by width_bucket, a binary search: joined as a
--     table, they are read once a message (measured: 13 of 20 us a message).

-- name: chunk_claim
-- role: fan_sender
-- Take a rendered chunk. No row: the frame was stale or repeated, the run does not run, it is not
-- due, or sending is stopped.
-- (account, chunk, epoch of the frame, owner, lease in microseconds)
UPDATE chunk c SET state = 2, epoch = c.epoch + 1, owner = $4, lease_until = fan_now() + $5::bigint
FROM run r, ctl
WHERE c.account_id = $1 AND c.id = $2 AND c.state::int = 1 AND c.epoch = $3::int
  AND c.due_at <= fan_now() AND ctl.send_enabled AND ctl.hold_reason IS NULL
  AND r.account_id = $1 AND r.id = c.run_id AND r.state IN (0, 1)
RETURNING c.epoch, c.watermark, c.size, c.is_retry, c.items, c.run_id, c.channel_id, c.lane,
  r.kind, r.at_least_once, r.retry;

-- name: chunk_lock
-- role: fan_sender
SELECT id FROM chunk WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE;

-- name: chunk_open
-- role: fan_sender
-- Move the watermark over the next slice, before its first byte leaves. After chunk_lock, in its
-- transaction. No row: do not send. (account, chunk, epoch, owner, watermark as I know it, how
-- many)
UPDATE chunk c SET watermark = least(c.watermark + $6::int, c.size),
  opened_at = coalesce(c.opened_at, fan_now())
FROM run r, channel h, ctl
WHERE c.account_id = $1 AND c.id = $2 AND c.epoch = $3::int AND c.owner = $4 AND c.state::int = 2
  AND c.watermark = $5::smallint
  AND c.watermark < c.size AND c.lease_until > fan_now()
  AND r.account_id = $1 AND r.id = c.run_id AND r.state IN (0, 1)
  AND h.account_id = $1 AND h.id = c.channel_id AND h.enabled AND ctl.send_enabled
  AND ctl.hold_reason IS NULL
RETURNING c.watermark;

-- name: chunk_unsendable
-- role: fan_sender
-- Of a slice just opened, what must not be sent: settled already, another chunk's by now, or opted
-- out since. In the transaction of chunk_open. (account, first id, one past the last, kind)
SELECT m.id FROM message m
WHERE m.account_id = $1 AND m.id >= $2 AND m.id < $3
  AND (m.state <> 0 OR m.work IS NOT NULL
    OR EXISTS (SELECT FROM suppression s WHERE s.account_id = $1
      AND s.contact_id = m.contact_id AND s.kind IN (0, $4::smallint)));

-- name: chunk_unsendable_retry
-- role: fan_sender
-- The same for a retry chunk. (account, chunk, ids of the slice, kind)
SELECT m.id FROM message m
WHERE m.account_id = $1 AND m.id = ANY ($3::bigint[])
  AND (m.state <> 0 OR m.work IS DISTINCT FROM $2
    OR EXISTS (SELECT FROM suppression s WHERE s.account_id = $1
      AND s.contact_id = m.contact_id AND s.kind IN (0, $4::smallint)));

-- name: chunk_copies
-- role: fan_sender
-- What is still to be sent of some positions, for a sender whose frame did not carry it. (account,
-- first id, one past the last)
SELECT m.id, m.contact_id, m.address, m.format, coalesce(m.body, b.body),
  m.attempt - m.free_tries - m.forgiven, m.free_tries, m.attempt, NULL::bigint
FROM message m LEFT JOIN message_body b ON b.account_id = $1 AND b.id = m.id
WHERE m.account_id = $1 AND m.id >= $2 AND m.id < $3 AND m.state = 0 AND m.work IS NULL
  ORDER BY m.id;

-- name: chunk_copies_retry
-- role: fan_sender
-- The same for a retry chunk; and for how long a message that was in doubt may be sent again, since
-- only its key allows it (null: nothing forbids it). (account, ids, chunk)
SELECT m.id, m.contact_id, m.address, m.format, coalesce(m.body, b.body),
  m.attempt - m.free_tries - m.forgiven, m.free_tries, m.attempt,
  CASE WHEN m.flags & 64 <> 0 AND m.forgiven = 0 AND NOT r.at_least_once
    THEN coalesce(h.opened_at, 0) + r.key_us - fan_now() END
FROM message m LEFT JOIN message_body b ON b.account_id = $1 AND b.id = m.id
JOIN chunk h ON h.account_id = $1 AND h.id = m.id >> 9
JOIN run r ON r.account_id = $1 AND r.id = h.run_id
WHERE m.account_id = $1 AND m.id = ANY ($2::bigint[]) AND m.state = 0 AND m.work = $3 ORDER BY m.id;

-- name: chunk_close
-- role: fan_sender
-- Record outcomes of first attempts: work chunk and home are one row. Returns how many were closed;
-- fewer than sent, or no row: the epoch is gone or a callback was first; the rest is evidence. The
-- delays are those of retries; free: 1 for a try that cost none.
-- (account, chunk, epoch, owner, first id, then of it and of those behind it, without a gap: states
-- (0: nothing is said of it), outcomes, reasons, codes, provider ids, delays in microseconds,
-- instants, free, and the event that tells of it: run, type, body, or null)
WITH c AS MATERIALIZED (
  SELECT id, fan_now() AS now FROM chunk
  WHERE account_id = $1 AND id = $2 AND epoch = $3::int AND owner = $4
    AND state::int = 2 FOR NO KEY UPDATE),
u AS (
  UPDATE message m SET state = ($6::smallint[])[(m.id - $5)::int + 1], was = m.state,
    outcome = ($7::smallint[])[(m.id - $5)::int + 1],
    reason = ($8::smallint[])[(m.id - $5)::int + 1],
    code = ($9::text[])[(m.id - $5)::int + 1],
    provider_id = ($10::text[])[(m.id - $5)::int + 1],
    free_tries = m.free_tries + ($13::smallint[])[(m.id - $5)::int + 1],
    sent_at = CASE WHEN ($6::smallint[])[(m.id - $5)::int + 1] = 3
      THEN fan_time(($12::bigint[])[(m.id - $5)::int + 1]) END,
    due = CASE ($6::smallint[])[(m.id - $5)::int + 1]
      WHEN 1 THEN c.now + ($11::bigint[])[(m.id - $5)::int + 1]
      WHEN 2 THEN c.now WHEN 4 THEN c.now END,
    lost_epoch = CASE WHEN ($6::smallint[])[(m.id - $5)::int + 1] = 2 THEN $3::int END
  FROM c
  WHERE m.account_id = $1 AND m.id >= $5::bigint AND m.id < $5 + cardinality($6::smallint[])
    AND m.id >> 9 = c.id AND m.state = 0 AND m.work IS NULL
    AND ($6)[(m.id - $5)::int + 1] > 0
  RETURNING m.state, m.due),
d AS (
  SELECT count(*) AS n, count(*) FILTER (WHERE state = 1) AS retry,
    count(*) FILTER (WHERE state = 2) AS unknown,
    count(*) FILTER (WHERE state = 3) AS sent, count(*) FILTER (WHERE state = 4) AS failed,
    count(*) FILTER (WHERE state = 5) AS skipped, count(*) FILTER (WHERE state = 6) AS cancelled,
    min(due) FILTER (WHERE state = 1) AS retry_due,
      min(due) FILTER (WHERE state = 2) AS unknown_since FROM u),
e AS (
  INSERT INTO event (account_id, type, run_id, chunk_id, body) SELECT $1, $15::int, $14, $2, $16
  FROM d WHERE d.n > 0 AND $16::bytea IS NOT NULL)
UPDATE chunk x SET n_pending = x.n_pending - d.n, n_retry = x.n_retry + d.retry,
  n_unknown = x.n_unknown + d.unknown,
  n_sent = x.n_sent + d.sent, n_failed = x.n_failed + d.failed, n_skipped = x.n_skipped + d.skipped,
  n_cancelled = x.n_cancelled + d.cancelled, retry_due = least(x.retry_due, d.retry_due),
  unknown_since = least(x.unknown_since, d.unknown_since)
FROM d, c WHERE x.account_id = $1 AND x.id = c.id RETURNING d.n;

-- name: chunk_sent
-- role: fan_sender
-- The same when the provider simply accepted all of them, as it does mostly: three quarters of
-- the cost. (account, chunk, epoch, owner, first id, then of it and of those behind it, without a
-- gap: provider ids, instants (0: nothing is said of it), and the event: run, type, body, or null)
WITH c AS MATERIALIZED (
  SELECT id FROM chunk
  WHERE account_id = $1 AND id = $2 AND epoch = $3::int AND owner = $4
    AND state::int = 2 FOR NO KEY UPDATE),
u AS (
  UPDATE message m SET state = 3, was = m.state, outcome = 1, reason = 0, code = NULL, due = NULL,
    lost_epoch = NULL, provider_id = ($6::text[])[(m.id - $5)::int + 1],
    sent_at = fan_time(($7::bigint[])[(m.id - $5)::int + 1])
  FROM c
  WHERE m.account_id = $1 AND m.id >= $5::bigint AND m.id < $5 + cardinality($7::bigint[])
    AND m.id >> 9 = c.id AND m.state = 0 AND m.work IS NULL
    AND ($7)[(m.id - $5)::int + 1] > 0
  RETURNING m.id),
d AS (SELECT count(*) AS n FROM u),
e AS (
  INSERT INTO event (account_id, type, run_id, chunk_id, body) SELECT $1, $9::int, $8, $2, $10
  FROM d WHERE d.n > 0 AND $10::bytea IS NOT NULL)
UPDATE chunk x SET n_pending = x.n_pending - d.n, n_sent = x.n_sent + d.n
FROM d, c WHERE x.account_id = $1 AND x.id = c.id RETURNING d.n;

-- name: chunk_close_retry
-- role: fan_sender
-- chunk_close for a retry chunk: homes locked ascending, then the work chunk (its id is the
-- largest), then messages. (as there, but of the fifth on: ids ascending, states, outcomes, ...)
WITH hl AS MATERIALIZED (
  SELECT id FROM chunk
  WHERE account_id = $1 AND id = ANY (ARRAY(SELECT i >> 9 FROM unnest($5::bigint[]) i))
  ORDER BY id FOR NO KEY UPDATE),
c AS MATERIALIZED (
  SELECT id, fan_now() AS now FROM chunk
  WHERE account_id = $1 AND id = $2 AND epoch = $3::int AND owner = $4 AND state::int = 2
    AND (SELECT count(*) FROM hl) > 0 FOR NO KEY UPDATE),
u AS (
  UPDATE message m SET state = ($6::smallint[])[width_bucket(m.id, $5)], was = m.state,
    outcome = ($7::smallint[])[width_bucket(m.id, $5)],
    reason = ($8::smallint[])[width_bucket(m.id, $5)],
    code = ($9::text[])[width_bucket(m.id, $5)],
    provider_id = ($10::text[])[width_bucket(m.id, $5)],
    free_tries = m.free_tries + ($13::smallint[])[width_bucket(m.id, $5)],
    sent_at = CASE WHEN ($6::smallint[])[width_bucket(m.id, $5)] = 3
      THEN fan_time(($12::bigint[])[width_bucket(m.id, $5)]) END,
    due = CASE ($6::smallint[])[width_bucket(m.id, $5)]
      WHEN 1 THEN c.now + ($11::bigint[])[width_bucket(m.id, $5)]
      WHEN 2 THEN c.now WHEN 4 THEN c.now END,
    lost_epoch = CASE WHEN ($6::smallint[])[width_bucket(m.id, $5)] = 2 THEN $3::int END
  FROM c
  WHERE m.account_id = $1 AND m.id = ANY ($5::bigint[]) AND m.state = 0
    AND m.work = c.id
  RETURNING m.id >> 9 AS home, m.state, m.due),
d AS (
  SELECT home, count(*) AS n, count(*) FILTER (WHERE state = 1) AS retry,
    count(*) FILTER (WHERE state = 2) AS unknown,
    count(*) FILTER (WHERE state = 3) AS sent, count(*) FILTER (WHERE state = 4) AS failed,
    count(*) FILTER (WHERE state = 5) AS skipped, count(*) FILTER (WHERE state = 6) AS cancelled,
    min(due) FILTER (WHERE state = 1) AS retry_due,
      min(due) FILTER (WHERE state = 2) AS unknown_since FROM u GROUP BY home),
e AS (
  INSERT INTO event (account_id, type, run_id, chunk_id, body) SELECT $1, $15::int, $14, $2, $16
  WHERE EXISTS (SELECT FROM d) AND $16::bytea IS NOT NULL)
UPDATE chunk x SET n_pending = x.n_pending - d.n, n_retry = x.n_retry + d.retry,
  n_unknown = x.n_unknown + d.unknown,
  n_sent = x.n_sent + d.sent, n_failed = x.n_failed + d.failed, n_skipped = x.n_skipped + d.skipped,
  n_cancelled = x.n_cancelled + d.cancelled, retry_due = least(x.retry_due, d.retry_due),
  unknown_since = least(x.unknown_since, d.unknown_since)
FROM d
WHERE x.account_id = $1 AND x.id = d.home AND x.id = ANY (ARRAY(SELECT home FROM d)) RETURNING d.n;

-- name: chunk_attempts
-- role: fan_sender
-- Keep what became of attempts from the second on. (account, ids, numbers, outcomes, codes,
-- provider ids)
INSERT INTO attempt (account_id, message_id, number, outcome, code, provider_id)
SELECT $1, o.id, o.number, o.outcome, o.code, o.provider_id
FROM unnest($2::bigint[], $3::smallint[], $4::smallint[], $5::text[], $6::text[]) AS o(id, number,
  outcome, code, provider_id)
ON CONFLICT DO NOTHING;

-- name: chunk_renew
-- role: fan_sender
-- Hold the claim longer; legal while the epoch is mine, even just after expiry. (account, chunk,
-- epoch, owner, lease)
UPDATE chunk SET lease_until = fan_now() + $5::bigint
WHERE account_id = $1 AND id = $2 AND epoch = $3::int AND owner = $4
  AND state::int = 2 RETURNING epoch;

-- name: chunk_lock_work
-- role: fan_sender, fan_scheduler
-- The chunk and every home it touches, locked ascending. (account, chunk)
SELECT h.id FROM chunk h WHERE h.account_id = $1 AND h.id = ANY (ARRAY(
  SELECT $2::bigint UNION SELECT i >> 9 FROM chunk c, unnest(c.items) i WHERE c.account_id = $1
    AND c.id = $2))
ORDER BY h.id FOR NO KEY UPDATE;

-- name: chunk_done
-- role: fan_sender
-- End a claim of which nothing is left: a chunk that is home to its messages, all of them opened
-- and settled. No row: it is not so, or the claim is over; chunk_release tells. (account, chunk,
-- epoch, owner)
UPDATE chunk SET state = 3, epoch = epoch + 1, owner = NULL, lease_until = NULL
WHERE account_id = $1 AND id = $2 AND epoch = $3::int AND owner = $4 AND state::int = 2
  AND NOT is_retry AND watermark = size AND n_pending = 0 RETURNING epoch;

-- name: chunk_release
-- role: fan_sender, fan_scheduler
-- End a claim, after chunk_lock_work in its transaction. What lies below the watermark and is still
-- pending becomes unknown, stamped with the epoch that opened it. Who: the owner, who may also
-- lower the watermark over messages that it opened and never started; or (owner null) the
-- scheduler, once the lease has expired or, with force, when nothing below the watermark is still
-- pending. (account, chunk, epoch, owner or null, watermark to go back to or null, force)
WITH c AS MATERIALIZED (
  SELECT c.*, least(c.watermark, coalesce($5::smallint, c.watermark)) AS wm,
    fan_now() AS now
  FROM chunk c
  WHERE c.account_id = $1 AND c.id = $2 AND c.epoch = $3::int AND c.state = 2
    AND CASE WHEN $4::bigint IS NULL THEN $5 IS NULL AND (c.lease_until < fan_now()
      OR $6::boolean) ELSE c.owner = $4 END),
u0 AS (
  UPDATE message m SET state = 2, was = m.state, lost_epoch = $3::int, due = c.now FROM c
  WHERE NOT c.is_retry AND m.account_id = $1 AND m.id >= $2::bigint << 9
    AND m.id < ($2::bigint << 9) + 512
    AND m.id < ($2::bigint << 9) + c.wm AND m.state = 0 AND m.work IS NULL
  RETURNING m.id, m.due),
u1 AS (
  UPDATE message m SET state = 2, was = m.state, lost_epoch = $3::int, due = c.now FROM c
  WHERE c.is_retry AND m.account_id = $1 AND m.id = ANY (ARRAY(SELECT unnest(items[1 : wm]) FROM c))
    AND m.state = 0 AND m.work = c.id
  RETURNING m.id, m.due),
d AS (SELECT id >> 9 AS home, count(*) AS n, min(due) AS due FROM (SELECT *
  FROM u0 UNION ALL SELECT * FROM u1) z GROUP BY 1),
hu AS (
  UPDATE chunk h SET n_pending = h.n_pending - d.n, n_unknown = h.n_unknown + d.n,
    unknown_since = least(h.unknown_since, d.due)
  FROM d, c WHERE c.is_retry AND h.account_id = $1 AND h.id = d.home
    AND h.id = ANY (ARRAY(SELECT home FROM d)))
UPDATE chunk x SET state = CASE WHEN c.wm < x.size THEN 1 ELSE 3 END, epoch = x.epoch + 1,
  owner = NULL, lease_until = NULL,
  watermark = c.wm,
  n_pending = x.n_pending - CASE WHEN c.is_retry THEN 0 ELSE coalesce(d.n, 0) END,
  n_unknown = x.n_unknown + CASE WHEN c.is_retry THEN 0 ELSE coalesce(d.n, 0) END,
  unknown_since = CASE WHEN c.is_retry THEN x.unknown_since ELSE least(x.unknown_since, d.due) END
FROM c LEFT JOIN d ON NOT c.is_retry AND d.home = c.id
WHERE x.account_id = $1 AND x.id = c.id AND x.id = $2
RETURNING x.epoch, x.state, (SELECT coalesce(sum(n), 0)::bigint FROM d), x.run_id, x.channel_id,
  x.lane;

-- name: chunk_lock_homes
-- role: fan_sender, fan_scheduler, fan_ingester
-- The home chunks of some messages, locked ascending. (account, message ids)
SELECT id FROM chunk
WHERE account_id = $1 AND id = ANY (ARRAY(SELECT i >> 9 FROM unnest($2::bigint[]) i))
ORDER BY id FOR NO KEY UPDATE;

-- name: chunk_evidence
-- role: fan_sender
-- Late knowledge: from a zombie, a journal replay, a look-up. After chunk_lock_homes. Accepted
-- settles anything that is not settled as sent; every other word counts only for an unknown of this
-- very chunk and epoch.
-- (account, chunk, epoch, ids, states: 3 accepted, 4 failed, 1 retry (also: never started),
-- provider ids, delays, instants, free)
WITH u AS (
  UPDATE message m SET was = m.state, state = CASE WHEN m.state = 3 THEN m.state ELSE o.state END,
    provider_id = coalesce(o.provider_id, m.provider_id),
    sent_at = CASE WHEN o.state = 3 THEN coalesce(m.sent_at, fan_time(o.at)) ELSE m.sent_at END,
    due = CASE o.state WHEN 1 THEN fan_now() + o.delay WHEN 4 THEN fan_now() END,
    lost_epoch = NULL,
    free_tries = m.free_tries + o.free,
    outcome = CASE o.state WHEN 3 THEN 1 WHEN 1 THEN 2 ELSE m.outcome END,
    reason = CASE WHEN m.state = 3 THEN m.reason WHEN o.state = 4 THEN 8 ELSE 0 END
  FROM unnest($4::bigint[], $5::smallint[], $6::text[], $7::bigint[], $8::bigint[],
    $9::smallint[]) AS o(id, state, provider_id, delay, at, free)
  WHERE m.account_id = $1 AND m.id = o.id AND m.id = ANY ($4::bigint[]) AND (
    o.state = 3 AND (m.state IN (0, 1, 2, 4, 6, 7) OR m.state = 3 AND m.provider_id IS NULL
      AND o.provider_id IS NOT NULL)
    OR o.state IN (1, 4) AND m.state = 2 AND coalesce(m.work, m.id >> 9) = $2
      AND m.lost_epoch = $3::int)
  RETURNING m.id >> 9 AS home, m.was AS f, m.state AS t, m.due),
d AS (
  SELECT home, count(*) AS n, count(*) FILTER (WHERE f = 0) AS f0,
    count(*) FILTER (WHERE f = 1) AS f1,
    count(*) FILTER (WHERE f = 2) AS f2, count(*) FILTER (WHERE f = 3) AS f3,
      count(*) FILTER (WHERE f = 4) AS f4,
    count(*) FILTER (WHERE f = 6) AS f6, count(*) FILTER (WHERE f = 7) AS f7,
    count(*) FILTER (WHERE t = 1) AS t1,
      count(*) FILTER (WHERE t = 3) AS t3,
    count(*) FILTER (WHERE t = 4) AS t4, min(due) FILTER (WHERE t = 1) AS retry_due
      FROM u GROUP BY home)
UPDATE chunk x SET n_pending = x.n_pending - d.f0, n_retry = x.n_retry - d.f1 + d.t1,
  n_unknown = x.n_unknown - d.f2,
  n_sent = x.n_sent - d.f3 + d.t3, n_failed = x.n_failed - d.f4 + d.t4,
    n_cancelled = x.n_cancelled - d.f6, n_unknown_final = x.n_unknown_final - d.f7,
  retry_due = least(x.retry_due, d.retry_due)
FROM d
WHERE x.account_id = $1 AND x.id = d.home AND x.id = ANY (ARRAY(SELECT home FROM d)) RETURNING d.n;

-- name: chunk_crashed
-- role: fan_sender
-- A sender died while it wrote this message's request, which so was never started. After the locks
-- of a release or of evidence, ahead of it. The last crash makes it a dead letter. Nothing happens
-- once the claim has ended and its unknowns are settled: a repetition counts nothing twice.
-- (account, chunk, epoch, owner, message, crashes that are too many) -> its state
WITH u AS (
  UPDATE message m SET was = m.state, crashes = m.crashes + 1,
    state = CASE WHEN m.crashes + 1 >= $6::int THEN 4 ELSE m.state END,
    reason = CASE WHEN m.crashes + 1 >= $6 THEN 12 ELSE m.reason END,
    due = CASE WHEN m.crashes + 1 >= $6 THEN fan_now() ELSE m.due END,
    lost_epoch = CASE WHEN m.crashes + 1 >= $6 THEN NULL ELSE m.lost_epoch END
  WHERE m.account_id = $1 AND m.id = $5 AND coalesce(m.work, m.id >> 9) = $2
    AND (m.state = 0 AND EXISTS (SELECT FROM chunk c WHERE c.account_id = $1 AND c.id = $2
        AND c.epoch = $3::int AND c.owner = $4 AND c.state = 2)
      OR m.state = 2 AND m.lost_epoch = $3)
  RETURNING m.was AS f, m.state AS t)
UPDATE chunk x SET n_pending = x.n_pending - CASE WHEN u.t = 4 AND u.f = 0 THEN 1 ELSE 0 END,
  n_unknown = x.n_unknown - CASE WHEN u.t = 4 AND u.f = 2 THEN 1 ELSE 0 END,
  n_failed = x.n_failed + CASE WHEN u.t = 4 THEN 1 ELSE 0 END
FROM u WHERE x.account_id = $1 AND x.id = $5::bigint >> 9 RETURNING u.t;

-- name: chunk_plan
-- role: fan_audience
-- Write a page's chunks: people in order, size at a time. (account, run, channel, lane, due,
-- contacts, size, variant or null) -> chunks
INSERT INTO chunk (account_id, run_id, channel_id, lane, due_at, size, contacts, variant)
SELECT $1, $2, $3, $4::smallint, $5, least($7, cardinality($6) - place + 1),
  ($6)[place : place + $7 - 1], $8::smallint
FROM generate_series(1, cardinality($6::bigint[]), $7::int) place
RETURNING id;

-- name: chunk_skips
-- role: fan_audience
-- A chunk that is done already: home of people who were skipped. (account, run, channel, how many)
-- -> id
INSERT INTO chunk (account_id, run_id, channel_id, state, size, watermark, n_skipped)
VALUES ($1, $2, $3, 3, $4::smallint, $4::smallint, $4::smallint) RETURNING id;

-- name: chunk_skipped_messages
-- role: fan_audience
-- Its messages. (account, chunk, contacts, reasons)
INSERT INTO message (account_id, id, contact_id, state, reason)
SELECT $1, ($2::bigint << 9) + u.place - 1, u.contact, 5, u.reason
FROM unnest($3::bigint[], $4::smallint[]) WITH ORDINALITY u(contact, reason, place);

-- name: chunk_load
-- role: fan_renderer
-- A planned chunk of a live run, held until the end of the transaction: another renderer that was
-- asked for it, too, passes it over. Its crashes: a position for each. (account, chunk, epoch)
SELECT c.run_id, c.channel_id, c.lane, c.contacts, r.kind, r.content::text, r.campaign_id,
  ARRAY(SELECT x.position::bigint FROM render_crash x WHERE x.account_id = $1 AND x.chunk_id = $2),
  c.variant
  FROM chunk c
JOIN run r ON r.account_id = $1 AND r.id = c.run_id
WHERE c.account_id = $1 AND c.id = $2 AND c.epoch = $3::int AND c.state::int = 0
  AND r.state IN (0, 1) FOR NO KEY UPDATE OF c SKIP LOCKED;

-- name: chunk_render_crashed
-- role: fan_renderer
-- A renderer died while it wrote this position's copy; each dies once, so a repetition counts
-- nothing twice. (account, chunk, position, renderer)
INSERT INTO render_crash (account_id, chunk_id, position, renderer)
SELECT $1, c.id, $3::smallint, $4 FROM chunk c
WHERE c.account_id = $1 AND c.id = $2 AND c.state::int = 0 AND $3 < c.size
ON CONFLICT DO NOTHING;

-- name: chunk_render_survived
-- role: fan_renderer
-- Forget a chunk's crashes: it is rendered. (account, chunk)
DELETE FROM render_crash WHERE account_id = $1 AND chunk_id = $2;

-- name: chunk_people
-- role: fan_renderer
-- Those of a chunk's people who are there, ascending. Read as one range where they live together
-- (see run_page_tagged). Suppressed tells whether they opted out since planning. (account, contacts
-- ascending, kind, whether their attributes are
-- wanted, whether their other identity and time zone are)
WITH r AS MATERIALIZED (
  SELECT ($2::bigint[])[1] AS lo, ($2)[cardinality($2)] AS hi
  WHERE ($2)[cardinality($2)] - ($2)[1] < 4 * cardinality($2)
  UNION ALL
  SELECT id, id FROM unnest($2) id WHERE ($2)[cardinality($2)] - ($2)[1] >= 4 * cardinality($2)),
s AS MATERIALIZED (
  SELECT s.contact_id FROM r CROSS JOIN LATERAL (
    SELECT contact_id FROM suppression WHERE account_id = $1 AND contact_id >= r.lo
      AND contact_id <= r.hi AND kind IN (0, $3::smallint) ORDER BY contact_id OFFSET 0) s)
SELECT c.id, c.phone, c.email, c.first_name, c.last_name, c.company, c.country, c.language,
  CASE WHEN $4::boolean THEN c.attributes::text END,
  CASE WHEN $5::boolean THEN c.external_id END, CASE WHEN $5 THEN c.time_zone END,
  c.id IN (SELECT contact_id FROM s)
FROM r CROSS JOIN LATERAL (
  SELECT * FROM contact WHERE account_id = $1 AND id >= r.lo AND id <= r.hi
    AND ($2)[width_bucket(id, $2)] = id ORDER BY id OFFSET 0) c
ORDER BY c.id;

-- name: chunk_fields
-- role: fan_renderer
-- What templates may name: the account's attributes in the order of declaration, its words for
-- missing values, and what is the same for all recipients. (account, campaign, channel)
SELECT a.fallbacks::text, ARRAY(SELECT name FROM attribute WHERE account_id = $1 ORDER BY id),
  a.name, a.default_country, c.name, c.details::text, h.name
FROM account a
LEFT JOIN campaign c ON c.account_id = $1 AND c.id = $2
LEFT JOIN channel h ON h.account_id = $1 AND h.id = $3
WHERE a.account_id = $1;

-- name: chunk_render
-- role: fan_renderer
-- Write a chunk's messages and move it on, or nothing when somebody was first. A message that
-- cannot be written is born skipped or failed, with its reason. Returns the new messages.
-- The arrays are equally long and unfold side by side, each row as it is written: as tables of a
-- FROM they would all be stored first (measured: 0.4 of 3.6 us a message).
-- (account, chunk, epoch, contacts, states, reasons, addresses, formats, bodies (null: too long for
-- the row), how many are pending, skipped, failed)
WITH c AS (
  UPDATE chunk SET n_pending = $10, n_skipped = $11, n_failed = $12, state = 1
  WHERE account_id = $1 AND id = $2 AND state::int = 0 AND epoch = $3::int RETURNING id)
INSERT INTO message (account_id, id, contact_id, state, reason, address, format, body)
SELECT $1, generate_series(c.id << 9, (c.id << 9) + cardinality($4::bigint[]) - 1), unnest($4),
  unnest($5::smallint[]), unnest($6::smallint[]), unnest($7::text[]), unnest($8::smallint[]),
  unnest($9::text[])
FROM c;

-- name: chunk_bodies
-- role: fan_renderer
-- Bodies that are too long for the row. (account, ids, bodies)
INSERT INTO message_body (account_id, id, body) SELECT $1, u.id, u.body FROM unnest($2::bigint[],
  $3::text[]) u(id, body);

-- name: chunk_in_flight
-- role: fan_scheduler
-- What a run has on its way, and what may come next: rendered and claimed chunks first, then
-- planned ones that are due.
-- (account, run, limit)
(SELECT id, epoch, state, lane, channel_id, owner, lease_until < fan_now() AS expired, watermark,
  size FROM chunk
  WHERE account_id = $1 AND run_id = $2 AND state IN (1, 2) ORDER BY state DESC, lane, due_at,
    id LIMIT $3)
UNION ALL
(SELECT id, epoch, state, lane, channel_id, owner, false, watermark, size FROM chunk
  WHERE account_id = $1 AND run_id = $2 AND state = 0 AND due_at <= fan_now() ORDER BY lane,
    due_at, id LIMIT $3);

-- name: chunk_owned
-- role: fan_scheduler
-- What a worker that is gone had claimed in a run. (account, run, owner)
SELECT id, epoch FROM chunk WHERE account_id = $1 AND run_id = $2 AND state = 2 AND owner = $3;

-- name: chunk_unbegun
-- role: fan_scheduler
-- Whether nothing below the watermark of a first-attempt chunk is still pending: then taking it
-- back loses nothing.
-- (account, chunk, epoch, first id, one past the last)
SELECT c.is_retry = false AND NOT EXISTS (
  SELECT FROM message m WHERE m.account_id = $1 AND m.id >= $4 AND m.id < $5
    AND m.id < $4 + c.watermark AND m.state = 0 AND m.work IS NULL)
  OR c.watermark = 0
FROM chunk c WHERE c.account_id = $1 AND c.id = $2 AND c.epoch = $3::int AND c.state::int = 2;

-- name: chunk_lock_due
-- role: fan_scheduler
-- Home chunks that have retries due, so many at a time that a sweep after a long outage still ends
-- within the statement's time. (account, run)
SELECT id FROM chunk WHERE account_id = $1 AND run_id = $2 AND retry_due IS NOT NULL
  AND retry_due <= fan_now()
ORDER BY id LIMIT 32 FOR NO KEY UPDATE;

-- name: chunk_promote
-- role: fan_scheduler
-- Due retries become retry chunks. After chunk_lock_due, with the ids it returned. (account, run,
-- home chunks, size)
WITH h AS MATERIALIZED (
  SELECT c.id, c.channel_id, c.lane, c.id << 9 AS lo, (c.id + 1) << 9 AS hi, fan_now() AS now
    FROM chunk c
  WHERE c.account_id = $1 AND c.run_id = $2 AND c.id = ANY ($3::bigint[])),
cand AS MATERIALIZED (
  SELECT m.id, h.channel_id, h.lane, (row_number() OVER (PARTITION BY h.channel_id, h.lane
    ORDER BY m.id) - 1) / $4::int AS part
  FROM h CROSS JOIN LATERAL (SELECT id FROM message WHERE account_id = $1 AND id >= h.lo
    AND id < h.hi AND state = 1 AND due <= h.now OFFSET 0) m),
w AS (
  INSERT INTO chunk (account_id, run_id, channel_id, lane, is_retry, state, size, items)
  SELECT $1, $2, channel_id, lane, true, 1, count(*), array_agg(id ORDER BY id)
    FROM cand GROUP BY channel_id, lane, part
  RETURNING id, items),
u AS (
  UPDATE message m SET state = 0, was = m.state, work = i.work, attempt = m.attempt + 1, due = NULL
  FROM (SELECT w.id AS work, unnest(w.items) AS id FROM w) i
  WHERE m.account_id = $1 AND m.id = i.id AND m.id = ANY (ARRAY(SELECT id FROM cand))
    AND m.state = 1 RETURNING m.id),
d AS (SELECT id >> 9 AS home, count(*) AS n FROM u GROUP BY 1)
UPDATE chunk x SET n_retry = x.n_retry - coalesce(d.n, 0), 
  n_pending = x.n_pending + coalesce(d.n, 0),
  retry_due = (SELECT min(m.due) FROM message m WHERE m.account_id = $1 AND m.id >= l.lo
    AND m.id < l.hi AND m.state = 1
    AND m.id NOT IN (SELECT id FROM cand))
FROM h l LEFT JOIN d ON d.home = l.id WHERE x.account_id = $1 AND x.id = l.id
  AND x.id = ANY ($3::bigint[])
  RETURNING coalesce(d.n, 0);

-- name: chunk_cancel_lock
-- role: fan_scheduler
-- Some chunks of a cancelled run that nobody holds, and some home chunks with retries; they and the
-- homes that they touch are locked ascending. (account, run, how many of each) -> chunk, whether it
-- is one of those
WITH w AS MATERIALIZED (
  (SELECT id, items FROM chunk WHERE account_id = $1 AND run_id = $2 AND state IN (0, 1)
    LIMIT $3::bigint)
  UNION ALL
  (SELECT id, NULL FROM chunk WHERE account_id = $1 AND run_id = $2 AND retry_due IS NOT NULL
    LIMIT $3))
SELECT h.id, h.id IN (SELECT id FROM w) FROM chunk h WHERE h.account_id = $1
  AND h.id = ANY (ARRAY(SELECT id FROM w UNION SELECT i >> 9 FROM w, unnest(w.items) i))
ORDER BY h.id FOR NO KEY UPDATE;

-- name: chunk_cancel
-- role: fan_scheduler
-- What nobody has opened of these chunks is cancelled: people who were only planned (their messages
-- are written now, without a text), pending messages that a chunk answers for which nobody holds,
-- and retries. After chunk_cancel_lock, with the chunks that it names. (account, run, chunks) ->
-- how many messages, by home
WITH c AS MATERIALIZED (
  SELECT id, state, is_retry, contacts, items, id << 9 AS lo, (id + 1) << 9 AS hi FROM chunk
  WHERE account_id = $1 AND run_id = $2 AND id = ANY ($3::bigint[])),
born AS (
  INSERT INTO message (account_id, id, contact_id, state, reason)
  SELECT $1, c.lo + p.place - 1, p.contact, 6, 10
  FROM c, unnest(c.contacts) WITH ORDINALITY p(contact, place) WHERE c.state = 0 RETURNING id),
cand AS MATERIALIZED (
  SELECT m.id FROM c CROSS JOIN LATERAL (SELECT id FROM message WHERE account_id = $1
    AND id >= c.lo AND id < c.hi AND (state = 1 OR state = 0 AND work IS NULL AND c.state = 1)
    OFFSET 0) m WHERE c.state > 0 AND NOT c.is_retry
  UNION ALL
  SELECT m.id FROM c CROSS JOIN LATERAL (SELECT id FROM message WHERE account_id = $1
    AND id = ANY (c.items) AND state = 0 AND work = c.id OFFSET 0) m
  WHERE c.state = 1 AND c.is_retry),
u AS (
  UPDATE message m SET state = 6, was = m.state, reason = 10, due = NULL
  WHERE m.account_id = $1 AND m.id = ANY (ARRAY(SELECT id FROM cand)) AND m.state IN (0, 1)
  RETURNING m.id, m.was),
d AS (
  SELECT home, sum(f0) AS f0, sum(f1) AS f1, sum(n) AS n FROM (
    SELECT id >> 9 AS home, (was = 0)::int AS f0, (was = 1)::int AS f1, 1 AS n FROM u
    UNION ALL SELECT id >> 9, 0, 0, 1 FROM born
    UNION ALL SELECT id, 0, 0, 0 FROM c) z GROUP BY home)
UPDATE chunk x SET n_pending = x.n_pending - d.f0, n_retry = x.n_retry - d.f1,
  n_cancelled = x.n_cancelled + d.n,
  retry_due = CASE WHEN c.id IS NULL THEN x.retry_due END,
  state = CASE WHEN c.state < 2 THEN 3 ELSE x.state END,
  epoch = x.epoch + CASE WHEN c.state < 2 THEN 1 ELSE 0 END
FROM d LEFT JOIN c ON c.id = d.home
WHERE x.account_id = $1 AND x.id = d.home AND x.id = ANY (ARRAY(SELECT home FROM d))
RETURNING d.n::bigint;

-- name: chunk_lock_unknown
-- role: fan_scheduler
-- Home chunks with unknowns whose time is over, or that may be sent again for their keys. (account,
-- run, how long they wait for evidence, tries in all, free ones, pause before the first repetition)
SELECT c.id FROM chunk c WHERE c.account_id = $1 AND c.run_id = $2 AND c.unknown_since IS NOT NULL
  AND (c.unknown_since <= fan_now() - $3::bigint
    OR EXISTS (SELECT FROM run r JOIN message m ON m.account_id = $1 AND m.id >= c.id << 9
        AND m.id < (c.id + 1) << 9
      WHERE r.account_id = $1 AND r.id = $2 AND r.key_us > 0
        AND c.opened_at + r.key_us > fan_now() AND m.state = 2 AND m.forgiven = 0
        AND m.attempt - m.free_tries + 1 < $4::int AND m.free_tries < $5::int
        AND m.due <= fan_now() - ($6::bigint << least(m.attempt::int, 6))))
ORDER BY c.id LIMIT 32 FOR NO KEY UPDATE;

-- name: chunk_settle
-- role: fan_scheduler
-- Unknowns whose time is over: at_most_once makes them unknown_final, at_least_once retries them at
-- once while tries are left (those that cost none do not count). While the key lives under which a
-- message was sent, and tries are left, it is retried whatever the policy: its provider drops the
-- repetition. Who was tried anew by somebody has no such key. After chunk_lock_unknown, with its
-- ids. (account, run, home chunks, how long they wait for evidence, tries in all, free ones, pause
-- before the first repetition)
WITH h AS MATERIALIZED (SELECT z.id, z.id << 9 AS lo, (z.id + 1) << 9 AS hi, fan_now() AS now,
    fan_now() - $4::bigint AS over,
    r.key_us > 0 AND (SELECT opened_at FROM chunk c WHERE c.account_id = $1 AND c.id = z.id)
      + r.key_us > fan_now() AS keyed
  FROM run r, unnest($3::bigint[]) AS z(id) WHERE r.account_id = $1 AND r.id = $2),
over AS MATERIALIZED (
  SELECT m.id, m.again FROM h CROSS JOIN LATERAL (
    SELECT id, due, coalesce(h.keyed, false) AND forgiven = 0 AND attempt - free_tries + 1 < $5::int
      AND free_tries < $6::int AND due <= h.now - ($7::bigint << least(attempt::int, 6)) AS again
    FROM message WHERE account_id = $1
      AND id >= h.lo AND id < h.hi AND state = 2 OFFSET 0) m
  WHERE m.again OR m.due <= h.over),
u AS (
  UPDATE message m SET was = m.state, flags = m.flags | 64,
    state = CASE WHEN o.again
        OR r.at_least_once AND m.attempt - m.free_tries - m.forgiven + 1 < $5::int
      THEN 1 ELSE 7 END,
    due = fan_now()
  FROM run r, over o
  WHERE r.account_id = $1 AND r.id = $2 AND m.account_id = $1
    AND m.id = ANY (ARRAY(SELECT id FROM over)) AND m.id = o.id AND m.state = 2
  RETURNING m.id, m.state),
d AS (SELECT id >> 9 AS home, count(*) FILTER (WHERE state = 1) AS t1,
  count(*) FILTER (WHERE state = 7) AS t7 FROM u GROUP BY 1)
UPDATE chunk x SET n_unknown = x.n_unknown - coalesce(d.t1 + d.t7, 0),
  n_retry = x.n_retry + coalesce(d.t1, 0),
  n_unknown_final = x.n_unknown_final + coalesce(d.t7, 0),
  retry_due = CASE WHEN d.t1 > 0 THEN least(x.retry_due, l.now) ELSE x.retry_due END,
  unknown_since = (SELECT min(m.due) FROM message m WHERE m.account_id = $1 AND m.id >= l.lo
    AND m.id < l.hi AND m.state = 2
    AND m.id NOT IN (SELECT id FROM u))
FROM h l LEFT JOIN d ON d.home = l.id WHERE x.account_id = $1 AND x.id = l.id
  AND x.id = ANY ($3::bigint[])
  RETURNING coalesce(d.t1 + d.t7, 0);

-- name: chunk_lost_homes
-- role: fan_scheduler
-- Home chunks with unknowns that have waited for so long: their providers can be asked. (account,
-- run, microseconds, limit)
SELECT id, channel_id, lane FROM chunk WHERE account_id = $1 AND run_id = $2
  AND unknown_since IS NOT NULL AND unknown_since <= fan_now() - $3::bigint
ORDER BY unknown_since LIMIT $4;

-- name: chunk_lost
-- role: fan_sender
-- The unknowns of a home chunk, each with the chunk that opened it and the provider's ids of its
-- recipient's other messages, newest first. (account, first id, one past the last, limit)
SELECT m.id, m.address, m.format, coalesce(m.body, b.body), m.due, coalesce(m.work, m.id >> 9),
  m.lost_epoch, ARRAY(SELECT o.provider_id FROM message o WHERE o.account_id = $1
    AND o.contact_id = m.contact_id AND o.provider_id IS NOT NULL ORDER BY o.id DESC LIMIT 100)
FROM message m LEFT JOIN message_body b ON b.account_id = $1 AND b.id = m.id
WHERE m.account_id = $1 AND m.id >= $2 AND m.id < $3 AND m.state = 2 ORDER BY m.id LIMIT $4;

-- name: chunk_lost_is_its
-- role: fan_sender
-- Whether what a provider has can only be this message: its recipient has no other one with the
-- same text that has this provider's id, or may have it without our knowing: one that is under way
-- or in doubt, or that was sent more than once. A row: it can. Asked for after the provider's
-- answer, so that whatever was taken before it is known or still under way. (account, message,
-- provider's id)
SELECT m.id FROM message m
WHERE m.account_id = $1 AND m.id = $2 AND 0 = (
  SELECT count(*) FROM message o WHERE o.account_id = $1 AND o.contact_id = m.contact_id
    AND o.id <> m.id AND o.body IS NOT DISTINCT FROM m.body AND o.state <> 5
    AND (o.provider_id IS NULL OR o.provider_id = $3 OR o.attempt > 0));

-- name: chunk_receipts
-- role: fan_ingester
-- Merge what providers say, one word a message (see receipt.sql), in any order and any number of
-- times: progress only grows, flags are only added, of instants the first counts, of an undelivered
-- message's codes the greatest, and any word about a message proves that it was accepted. After
-- chunk_lock_homes.
-- (account, ids ascending, words, codes, instants: of the first word, of delivery, of reading; 0:
-- not said) -> per home chunk what became new
WITH u AS (
  UPDATE message m SET was = m.state + (m.progress::int << 8) + (m.flags::int << 16),
    progress = greatest(m.progress, ($3)[width_bucket(m.id, $2)] & 255),
    flags = m.flags | (($3)[width_bucket(m.id, $2)] >> 8),
    state = CASE WHEN m.state IN (0, 1, 2, 4, 6, 7) THEN 3 ELSE m.state END,
    outcome = CASE WHEN m.state IN (0, 1, 2, 4, 6, 7) THEN 1 ELSE m.outcome END,
    reason = CASE WHEN m.state IN (0, 1, 2, 4, 6, 7) THEN 0 ELSE m.reason END, due = NULL,
    sent_at = coalesce(m.sent_at, fan_time(($5::bigint[])[width_bucket(m.id, $2)])),
    delivered_at = least(m.delivered_at, fan_time(($6)[width_bucket(m.id, $2)])),
    read_at = least(m.read_at, fan_time(($7)[width_bucket(m.id, $2)])),
    code = CASE
      WHEN m.progress > 1 OR ($3)[width_bucket(m.id, $2)] & 255 > 1 THEN NULL
      WHEN ($3)[width_bucket(m.id, $2)] & 255 = 0
        THEN CASE WHEN m.state <> 4 THEN m.code END
      WHEN m.progress = 0 THEN ($4)[width_bucket(m.id, $2)]
      ELSE greatest(m.code, ($4)[width_bucket(m.id, $2)] COLLATE "C") END
  WHERE m.account_id = $1 AND m.id = ANY ($2::bigint[]) AND m.id >= ($2)[1]
    AND m.id <= ($2)[cardinality($2)] AND m.state NOT IN (5, 8)
    AND (($3::int[])[width_bucket(m.id, $2)] & 255 > m.progress
      OR (($3)[width_bucket(m.id, $2)] >> 8) & ~m.flags <> 0 OR m.state <> 3
      OR fan_time(($6::bigint[])[width_bucket(m.id, $2)]) < coalesce(m.delivered_at, 'infinity')
      OR fan_time(($7::bigint[])[width_bucket(m.id, $2)]) < coalesce(m.read_at, 'infinity')
      OR ($3)[width_bucket(m.id, $2)] & 255 = 1 AND m.progress = 1
        AND ($4::text[])[width_bucket(m.id, $2)] COLLATE "C" > coalesce(m.code, ''))
  RETURNING m.id >> 9 AS home, m.was & 255 AS f, m.was >> 8 & 255 AS p0, m.progress AS p,
    m.flags & ~(m.was >> 16) AS g),
d AS (
  SELECT home, count(*) FILTER (WHERE f = 0) AS f0, count(*) FILTER (WHERE f = 1) AS f1,
    count(*) FILTER (WHERE f = 2) AS f2,
    count(*) FILTER (WHERE f = 4) AS f4, count(*) FILTER (WHERE f = 6) AS f6,
    count(*) FILTER (WHERE f = 7) AS f7,
      count(*) FILTER (WHERE f <> 3) AS t3,
    count(*) FILTER (WHERE p = 1) - count(*) FILTER (WHERE p0 = 1) AS undelivered,
    count(*) FILTER (WHERE p0 < 2 AND p >= 2) AS delivered, count(*) FILTER (WHERE p0 < 3
      AND p >= 3) AS read,
    count(*) FILTER (WHERE g & 1 <> 0) AS opened, count(*) FILTER (WHERE g & 2 <> 0) AS clicked,
    count(*) FILTER (WHERE g & 4 <> 0) AS replied, count(*) FILTER (WHERE g & 8 <> 0) AS complained,
    count(*) FILTER (WHERE g & 16 <> 0) AS unsubscribed FROM u GROUP BY home)
UPDATE chunk x SET n_pending = x.n_pending - d.f0, n_retry = x.n_retry - d.f1,
  n_unknown = x.n_unknown - d.f2,
  n_failed = x.n_failed - d.f4, n_cancelled = x.n_cancelled - d.f6,
  n_unknown_final = x.n_unknown_final - d.f7,
    n_sent = x.n_sent + d.t3,
  n_undelivered = x.n_undelivered + d.undelivered, n_delivered = x.n_delivered + d.delivered,
    n_read = x.n_read + d.read,
  n_opened = x.n_opened + d.opened, n_clicked = x.n_clicked + d.clicked,
    n_replied = x.n_replied + d.replied,
  n_complained = x.n_complained + d.complained, n_unsubscribed = x.n_unsubscribed + d.unsubscribed
FROM d
WHERE x.account_id = $1 AND x.id = d.home AND x.id = ANY (ARRAY(SELECT home FROM d))
RETURNING x.run_id, d.delivered, d.read, d.undelivered,
  d.opened + d.clicked + d.replied + d.complained + d.unsubscribed;

-- name: pace_lock
-- role: fan_sender
-- (account, channel)
SELECT interval_us FROM channel_pace WHERE account_id = $1 AND channel_id = $2 FOR NO KEY UPDATE;

-- name: pace_take
-- role: fan_sender
-- Reserve up to so many send slots, after pace_lock: those that begin before the horizon.
-- (account, channel, wanted) -> granted, microseconds until the first of them (none granted: until
-- it is worth asking again), between two
WITH p AS MATERIALIZED (
  SELECT *, fan_now() AS now, greatest(tat, fan_now()) AS base FROM channel_pace
    WHERE account_id = $1 AND channel_id = $2),
g AS (
  SELECT *, CASE WHEN interval_us = 0 THEN $3::bigint
    ELSE least($3::bigint, greatest(0,
      (now + horizon_us - base + interval_us - 1) / interval_us)) END AS k FROM p)
UPDATE channel_pace x SET tat = g.base + g.k * g.interval_us FROM g
WHERE x.account_id = $1 AND x.channel_id = $2
RETURNING g.k, CASE WHEN g.k > 0 THEN g.base - g.now ELSE g.base - g.now - g.horizon_us + 1 END,
  g.interval_us;
