-- Dead letters: messages that failed for good, or whose fate is never to be known. Nothing is
-- looked for by a message's state: the counters of the chunks say where there are any.

-- name: dead_chunks
-- role: fan_gateway
-- Newest chunks with dead letters, up to one. (account, that chunk, campaign or 0, limit)
SELECT k.id, k.id << 9 FROM chunk k
WHERE k.account_id = $1 AND k.id <= $2::bigint AND (k.n_failed > 0 OR k.n_unknown_final > 0)
  AND ($3::bigint = 0 OR k.run_id = ANY (ARRAY(
    SELECT r.id FROM run r WHERE r.account_id = $1 AND r.campaign_id = $3)))
ORDER BY k.id DESC LIMIT $4::bigint;

-- name: dead_letters
-- role: fan_gateway
-- What is dead in these chunks, newest first. (account, chunks, below this message, whether unknown
-- ones too, reason or 0, outcome or 0, code or null, since, until in microseconds, limit)
WITH k AS MATERIALIZED (
  SELECT k.id, k.run_id, k.channel_id, k.id << 9 AS lo, (k.id + 1) << 9 AS hi,
    fan_us(k.created_at) AS made, r.campaign_id
  FROM chunk k JOIN run r ON r.account_id = $1 AND r.id = k.run_id
  WHERE k.account_id = $1 AND k.id = ANY ($2::bigint[])),
m AS (
  SELECT k.run_id, k.channel_id, k.campaign_id, k.made, x.*
  FROM k CROSS JOIN LATERAL (SELECT * FROM message WHERE account_id = $1 AND id >= k.lo
    AND id < k.hi AND id < $3::bigint AND (state = 4 OR $4::boolean AND state = 7)
    AND ($5::smallint = 0 OR reason = $5) AND ($6::smallint = 0 OR outcome = $6)
    AND ($7::text IS NULL OR code = $7) AND coalesce(due, k.made) >= $8::bigint
    AND coalesce(due, k.made) < $9::bigint OFFSET 0) x
  ORDER BY x.id DESC LIMIT $10::bigint)
SELECT m.id, m.contact_id, m.state, false, m.progress, m.flags, m.attempt, m.outcome, m.reason,
  m.code, m.provider_id, m.address, m.format, coalesce(m.body, b.body), m.sent_at, m.delivered_at,
  m.read_at, m.run_id, m.channel_id, m.campaign_id, coalesce(m.due, m.made)
FROM m LEFT JOIN message_body b ON b.account_id = $1 AND b.id = m.id ORDER BY m.id DESC;

-- name: dead_campaigns
-- role: fan_gateway
-- Whose chunks these are; each is to be held by run_campaign_lock. (account, chunks)
SELECT DISTINCT r.campaign_id FROM chunk k JOIN run r ON r.account_id = $1 AND r.id = k.run_id
WHERE k.account_id = $1 AND k.id = ANY ($2::bigint[]) ORDER BY 1;

-- name: dead_lock
-- role: fan_gateway
-- Hold chunks, ascending. (account, chunks)
SELECT id FROM chunk WHERE account_id = $1 AND id = ANY ($2::bigint[]) ORDER BY id
FOR NO KEY UPDATE;

-- name: dead_requeue
-- role: fan_gateway
-- Have dead letters of these chunks tried again as if for the first time, unless their run was
-- cancelled or their text is gone (or never was). After dead_lock. (account, chunks, exactly these
-- messages or null, whether unknown ones too, reason or 0, outcome or 0, code or null, since, until
-- in microseconds) -> per chunk how many, and its run
WITH k AS MATERIALIZED (
  SELECT k.id, k.id << 9 AS lo, (k.id + 1) << 9 AS hi, fan_us(k.created_at) AS made
  FROM chunk k JOIN run r ON r.account_id = $1 AND r.id = k.run_id AND r.state <> 5
  WHERE k.account_id = $1 AND k.id = ANY ($2::bigint[])),
cand AS MATERIALIZED (
  SELECT m.id FROM k CROSS JOIN LATERAL (SELECT x.id FROM message x WHERE x.account_id = $1
    AND x.id >= k.lo AND x.id < k.hi AND (x.state = 4 OR $4::boolean AND x.state = 7)
    AND ($3::bigint[] IS NULL OR x.id = ANY ($3))
    AND ($5::smallint = 0 OR x.reason = $5) AND ($6::smallint = 0 OR x.outcome = $6)
    AND ($7::text IS NULL OR x.code = $7) AND coalesce(x.due, k.made) >= $8::bigint
    AND coalesce(x.due, k.made) < $9::bigint
    AND (x.body IS NOT NULL OR EXISTS (SELECT FROM message_body b WHERE b.account_id = $1
      AND b.id = x.id)) OFFSET 0) m),
u AS (
  UPDATE message m SET state = 1, was = m.state, due = fan_now(), reason = 0, lost_epoch = NULL,
    free_tries = m.attempt + 1, crashes = 0
  WHERE m.account_id = $1 AND m.id = ANY (ARRAY(SELECT id FROM cand)) AND m.state IN (4, 7)
  RETURNING m.id >> 9 AS home, m.was AS f),
d AS (SELECT home, count(*) AS n, count(*) FILTER (WHERE f = 4) AS f4,
  count(*) FILTER (WHERE f = 7) AS f7 FROM u GROUP BY home)
UPDATE chunk x SET n_failed = x.n_failed - d.f4, n_unknown_final = x.n_unknown_final - d.f7,
  n_retry = x.n_retry + d.n, retry_due = least(x.retry_due, fan_now())
FROM d WHERE x.account_id = $1 AND x.id = d.home AND x.id = ANY (ARRAY(SELECT home FROM d))
RETURNING d.n, x.run_id;

-- name: dead_reopen
-- role: fan_gateway
-- Runs that had ended go on; the others go on anyway. After run_campaign_lock. (account, runs)
UPDATE run SET state = 1, ended_at = NULL
WHERE account_id = $1 AND id = ANY ($2::bigint[]) AND state IN (3, 4) RETURNING id, campaign_id;
