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
    free_tries = 0, forgiven = m.attempt + 1, crashes = 0
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

-- name: dead_note
-- role: fan_sender
-- Note which of these messages died, in the transaction that says so: processes died of them (12),
-- or they used up their tries (7) although nobody said that it is their recipient's fault (5). A
-- repetition notes nothing twice. (account, messages)
INSERT INTO death (account_id, run_id, message_id)
SELECT $1, c.run_id, m.id FROM message m JOIN chunk c ON c.account_id = $1 AND c.id = m.id >> 9
  AND c.id = ANY (ARRAY(SELECT i >> 9 FROM unnest($2::bigint[]) i))
WHERE m.account_id = $1 AND m.id = ANY ($2) AND m.state = 4
  AND (m.reason = 12 OR m.reason = 7 AND m.outcome <> 5)
ON CONFLICT (account_id, run_id, message_id) DO UPDATE SET at = statement_timestamp();

-- name: dead_note_unwritten
-- role: fan_renderer
-- The same of messages that are born dead. (account, run, messages)
INSERT INTO death (account_id, run_id, message_id) SELECT $1, $2, i FROM unnest($3::bigint[]) i;

-- name: dead_runs
-- role: fan_scheduler
-- scan: deaths of live runs alone are kept, and too many of them pause theirs
-- Runs of every account that go on although so many of their messages died, or more. (how many) ->
-- account, run, campaign, within a minute, in all, whether the audience is complete, recipients
SELECT d.account_id, d.run_id, r.campaign_id, d.recent, d.n, r.resolved, coalesce((
  SELECT sum(c.size) FROM chunk c WHERE c.account_id = d.account_id AND c.run_id = d.run_id
    AND NOT c.is_retry), 0)::bigint
FROM (SELECT account_id, run_id, count(*) AS n, count(*) FILTER (
    WHERE at > statement_timestamp() - interval '1 minute') AS recent
  FROM death GROUP BY account_id, run_id HAVING count(*) >= $1::bigint) d
JOIN run r ON r.account_id = d.account_id AND r.id = d.run_id AND r.state IN (0, 1);

-- name: dead_forgive
-- role: fan_gateway
-- Count a run's deaths anew. (account, run)
DELETE FROM death WHERE account_id = $1 AND run_id = $2;

-- name: dead_forget
-- role: fan_scheduler
-- scan: deaths of live runs alone are kept
-- Forget the deaths of runs that ended long ago.
DELETE FROM death d USING run r WHERE r.account_id = d.account_id AND r.id = d.run_id
  AND r.ended_at < statement_timestamp() - interval '1 hour';
