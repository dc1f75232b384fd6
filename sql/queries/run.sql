-- Runs: one execution of a campaign. unique (account, campaign, occurrence) makes a double trigger
-- impossible, however it comes.

-- name: run_campaign_lock
-- role: fan_gateway, fan_scheduler
-- A campaign, held while it is launched. (account, campaign)
SELECT state FROM campaign
WHERE account_id = $1 AND id = $2 FOR UPDATE;

-- name: run_insert
-- role: fan_gateway, fan_scheduler
-- The content is that of the campaign's template, if it has one, as it stands now. Of the life of
-- the provider's idempotency keys a fifth is a margin: for clocks, and for requests on their way.
-- (account, campaign, occurrence, channel, contact ids or null, chunk size) -> id; no row: that
-- occurrence has its run
INSERT INTO run (account_id, campaign_id, occurrence, kind, lane, channel_id, content,
  template_id, template_version, at_least_once, tag_ids, contact_ids, chunk_size, retry,
  unknown_wait_us, weights, key_us, boundary)
SELECT $1, c.id, $3, c.kind, c.lane, $4, coalesce(v.content, c.content), v.template_id, v.number,
  c.at_least_once, c.tag_ids, $5::bigint[], $6::smallint, c.retry, c.unknown_wait_us,
  (SELECT array_agg((x.v->>'weight')::smallint ORDER BY x.place)
    FROM jsonb_array_elements(c.content->'variants') WITH ORDINALITY x(v, place)),
  coalesce((SELECT (h.settings ->> 'idempotency_ttl_s')::bigint * 800000 FROM channel h
    WHERE h.account_id = $1 AND h.id = $4 AND h.settings ->> 'idempotency_header' <> ''), 0),
  coalesce((SELECT max(id) FROM contact WHERE account_id = $1), 0)
FROM campaign c
LEFT JOIN template t ON t.account_id = $1 AND t.id = c.template_id
LEFT JOIN template_version v ON v.account_id = $1 AND v.template_id = t.id
  AND v.number = coalesce(c.template_version, t.latest)
WHERE c.account_id = $1 AND c.id = $2
ON CONFLICT (account_id, campaign_id, occurrence) DO NOTHING RETURNING id;

-- name: run_channel
-- role: fan_gateway, fan_scheduler
-- The channel that a campaign goes out on: its own, else its kind's default. (account, campaign) ->
-- channel, rate
SELECT h.id, h.rate FROM campaign c JOIN channel h ON h.account_id = $1 AND h.enabled
  AND (h.id = c.channel_id OR c.channel_id IS NULL AND h.kind = c.kind)
WHERE c.account_id = $1 AND c.id = $2 ORDER BY h.is_default DESC, h.id LIMIT 1;

-- name: run_find
-- role: fan_gateway, fan_scheduler
SELECT id FROM run WHERE account_id = $1 AND campaign_id = $2 AND occurrence = $3;

-- name: run_campaign_state
-- role: fan_gateway, fan_scheduler
-- Move a campaign on, from one of the given states. (account, campaign, from, to)
UPDATE campaign SET state = $4::smallint, updated_at = statement_timestamp(), hold_reason = NULL,
  started_at = CASE WHEN $4 = 2 THEN coalesce(started_at, statement_timestamp())
    ELSE started_at END,
  paused_at = CASE WHEN $4 = 4 THEN statement_timestamp() END,
  ended_at = CASE WHEN $4 IN (5, 6, 7) THEN statement_timestamp() END
WHERE account_id = $1 AND id = $2 AND state = ANY ($3::smallint[]) RETURNING state;

-- name: run_campaigns_due
-- role: fan_scheduler
-- Scheduled campaigns whose time has come, of every account. (limit)
SELECT account_id, id FROM campaign
WHERE state = 1 AND enabled AND hold_reason IS NULL AND scheduled_at <= statement_timestamp()
ORDER BY scheduled_at LIMIT $1;

-- name: run_hold_due
-- role: fan_scheduler
-- One of them, held while it is launched, if its time still has come. (account, campaign) -> its
-- time, how late it may start in seconds or -1, its end or null, and the database's time
SELECT fan_us(scheduled_at), coalesce(late_start_grace_s, -1), fan_us(end_date), fan_now()
FROM campaign
WHERE account_id = $1 AND id = $2 AND state = 1 AND enabled AND hold_reason IS NULL
  AND scheduled_at <= statement_timestamp() FOR UPDATE;

-- name: run_campaign_hold
-- role: fan_scheduler
-- Why it does not start, or was paused, by itself. After run_hold_due or run_campaign_lock.
-- (account, campaign, why)
UPDATE campaign SET hold_reason = $3::text, updated_at = statement_timestamp()
WHERE account_id = $1 AND id = $2 AND state IN (1, 4);

-- name: run_live
-- role: fan_scheduler
-- Runs that have not ended, of every account, in the order of accounts. A cancelled one is among
-- them until nothing of it is open.
SELECT account_id, id, campaign_id, state, kind, channel_id, lane, resolved, chunk_size, retry,
  unknown_wait_us FROM run
WHERE ended_at IS NULL ORDER BY account_id, id;

-- name: run_load
-- role: fan_audience
-- A run whose audience is not complete, held by this resolver; no row: complete, ended, or another
-- resolver is at it.
-- (account, run)
SELECT campaign_id, kind, channel_id, lane, due_at, cursor, boundary, chunk_size, tag_ids,
  contact_ids, weights FROM run
WHERE account_id = $1 AND id = $2 AND state = 0 AND NOT resolved FOR NO KEY UPDATE SKIP LOCKED;

-- name: run_page_all
-- role: fan_audience
-- The next page of an audience that is everybody: place, contact and why it is skipped (0: it is
-- not).
-- (account, cursor, boundary, limit, kind)
WITH p AS MATERIALIZED (
  SELECT id, CASE WHEN $5::smallint = 3 THEN email ELSE phone END AS address FROM contact
  WHERE account_id = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4),
s AS MATERIALIZED (
  SELECT contact_id FROM suppression WHERE account_id = $1 AND contact_id > $2
    AND contact_id <= (SELECT max(id) FROM p) AND kind IN (0, $5))
SELECT c.id, c.id, CASE WHEN c.address IS NULL THEN 1
  WHEN c.id IN (SELECT contact_id FROM s) THEN 2
  WHEN CASE WHEN $5 = 3
    THEN EXISTS (SELECT FROM contact d WHERE d.account_id = $1 AND d.email = c.address
      AND d.id < c.id)
    ELSE EXISTS (SELECT FROM contact d WHERE d.account_id = $1 AND d.phone = c.address
      AND d.id < c.id) END THEN 3
  ELSE 0 END
FROM p c ORDER BY c.id;

-- name: run_page_tagged
-- role: fan_audience
-- The same for people with any of some tags, then a row without a contact: the page's last place
-- and how many people the tags named, of whom some may have gone.
-- The place of a page is said of tag and contact together and of neither alone: the index that
-- begins with the contact would read everybody between cursor and boundary (measured: 26 ms for one
-- person among 100,000), and `tag_id =` would begin each page with the tag's first person.
-- What a page's people have is read as one range, unless most who live there are others: a look-up
-- by key costs five times as much as a row of a range.
-- (account, cursor, boundary, limit, kind, tags)
WITH p AS MATERIALIZED (SELECT ARRAY(
  SELECT DISTINCT ON (x.contact_id) x.contact_id FROM unnest($6::bigint[]) t(tag_id)
  CROSS JOIN LATERAL (
    SELECT ct.contact_id FROM contact_tag ct WHERE ct.account_id = $1
      AND (ct.tag_id, ct.contact_id) > (t.tag_id, $2::bigint)
      AND (ct.tag_id, ct.contact_id) <= (t.tag_id, $3::bigint)
    ORDER BY ct.tag_id, ct.contact_id LIMIT $4) x
  ORDER BY 1 LIMIT $4) AS ids),
r AS MATERIALIZED (
  SELECT ids[1] AS lo, ids[cardinality(ids)] AS hi FROM p
  WHERE ids[cardinality(ids)] - ids[1] < 4 * cardinality(ids)
  UNION ALL
  SELECT id, id FROM p, unnest(ids) id
  WHERE ids[cardinality(ids)] - ids[1] >= 4 * cardinality(ids)),
s AS MATERIALIZED (
  SELECT s.contact_id FROM r CROSS JOIN LATERAL (
    SELECT contact_id FROM suppression WHERE account_id = $1 AND contact_id >= r.lo
      AND contact_id <= r.hi AND kind IN (0, $5::smallint) ORDER BY contact_id OFFSET 0) s)
SELECT c.id, c.id, CASE WHEN c.address IS NULL THEN 1
  WHEN c.id IN (SELECT contact_id FROM s) THEN 2
  WHEN CASE WHEN $5 = 3
    THEN EXISTS (SELECT FROM contact d JOIN contact_tag dt ON dt.account_id = $1
        AND dt.contact_id = d.id AND dt.tag_id = ANY ($6)
      WHERE d.account_id = $1 AND d.email = c.address AND d.id < c.id)
    ELSE EXISTS (SELECT FROM contact d JOIN contact_tag dt ON dt.account_id = $1
        AND dt.contact_id = d.id AND dt.tag_id = ANY ($6)
      WHERE d.account_id = $1 AND d.phone = c.address AND d.id < c.id) END THEN 3
  ELSE 0 END
FROM r CROSS JOIN LATERAL (
  SELECT id, CASE WHEN $5 = 3 THEN email ELSE phone END AS address FROM contact
  WHERE account_id = $1 AND id >= r.lo AND id <= r.hi
    AND ((SELECT ids FROM p))[width_bucket(id, (SELECT ids FROM p))] = id ORDER BY id OFFSET 0) c
UNION ALL
SELECT ids[cardinality(ids)], NULL, cardinality(ids) FROM p WHERE cardinality(ids) > 0
ORDER BY 1, 2;

-- name: run_page_listed
-- role: fan_audience
-- The same for exactly these people; the place is theirs in the list. Who stands in it twice is
-- written to once. The list is looked through once a page and never once a person: it may be long
-- (measured, of 100,000: 470 us a person).
-- (account, cursor, limit, kind, contact ids)
WITH p AS MATERIALIZED (
  SELECT $2 + u.place AS place, u.id
  FROM unnest(($5::bigint[])[($2 + 1)::int : ($2 + $3)::int]) WITH ORDINALITY u(id, place)),
twice AS MATERIALIZED (
  SELECT u.id, min(u.place) AS place FROM unnest($5) WITH ORDINALITY u(id, place)
  GROUP BY u.id HAVING count(*) > 1),
l AS MATERIALIZED (SELECT ARRAY(SELECT id FROM unnest($5) id ORDER BY id) AS ids)
SELECT p.place, p.id, CASE WHEN c.address IS NULL THEN 1
  WHEN EXISTS (SELECT FROM suppression s WHERE s.account_id = $1 AND s.contact_id = c.id
    AND s.kind IN (0, $4::smallint)) THEN 2
  WHEN p.id IN (SELECT id FROM twice) AND p.place NOT IN (SELECT place FROM twice) THEN 3
  WHEN CASE WHEN $4 = 3
    THEN EXISTS (SELECT FROM contact d WHERE d.account_id = $1 AND d.email = c.address
      AND d.id < c.id AND ((SELECT ids FROM l))[width_bucket(d.id, (SELECT ids FROM l))] = d.id)
    ELSE EXISTS (SELECT FROM contact d WHERE d.account_id = $1 AND d.phone = c.address
      AND d.id < c.id AND ((SELECT ids FROM l))[width_bucket(d.id, (SELECT ids FROM l))] = d.id)
    END THEN 3
  ELSE 0 END
FROM p
LEFT JOIN LATERAL (
  SELECT id, CASE WHEN $4 = 3 THEN email ELSE phone END AS address FROM contact
  WHERE account_id = $1 AND id = p.id OFFSET 0) c ON true
ORDER BY p.place;

-- name: run_advance
-- role: fan_audience
-- Move the cursor with the chunks that were written. (account, run, cursor, complete)
UPDATE run SET cursor = $3, resolved = $4::boolean, state = CASE WHEN $4 AND state = 0 THEN 1
  ELSE state END,
  started_at = coalesce(started_at, statement_timestamp())
WHERE account_id = $1 AND id = $2 RETURNING state;

-- name: run_control
-- role: fan_gateway, fan_scheduler
-- Pause, resume or cancel a campaign's run, after run_campaign_lock. A run whose audience is not
-- complete goes on preparing. (account, campaign, from, to) -> run, state
UPDATE run SET state = CASE WHEN $4::smallint = 1 AND NOT resolved THEN 0 ELSE $4 END
WHERE account_id = $1 AND campaign_id = $2::bigint AND state = ANY ($3::smallint[])
RETURNING id, state;

-- name: run_over
-- role: fan_scheduler
-- The campaign of a run of which nothing is left to do; no row: something is. (account, run)
SELECT r.campaign_id FROM run r
WHERE r.account_id = $1 AND r.id = $2 AND r.ended_at IS NULL
  AND (r.state = 1 AND r.resolved OR r.state = 5)
  AND NOT EXISTS (SELECT FROM chunk k WHERE k.account_id = $1 AND k.run_id = $2
    AND (k.state < 3 OR k.n_pending + k.n_retry + k.n_unknown > 0));

-- name: run_complete
-- role: fan_scheduler
-- End a run of which nothing is left to do, after run_campaign_lock: whoever gives a run new work
-- holds the campaign while he does. (account, run) -> its state and campaign if this call ended it
UPDATE run r SET state = CASE WHEN r.state = 5 THEN 5 WHEN s.sent > 0 OR s.total = 0 THEN 3
    ELSE 4 END, ended_at = statement_timestamp()
FROM (SELECT coalesce(sum(n_pending + n_retry + n_unknown), 0) AS live, coalesce(sum(n_sent),
  0) AS sent,
    coalesce(sum(size) FILTER (WHERE NOT is_retry), 0) AS total, bool_or(state < 3) AS open
  FROM chunk WHERE account_id = $1 AND run_id = $2) s
WHERE r.account_id = $1 AND r.id = $2 AND r.ended_at IS NULL
  AND (r.state = 1 AND r.resolved OR r.state = 5) AND s.live = 0 AND s.open IS NOT TRUE
RETURNING r.state, r.campaign_id;

-- name: run_stats
-- role: fan_gateway
-- A campaign's counters, summed over the chunks of its runs. (account, campaign)
WITH r AS MATERIALIZED (SELECT id, state FROM run WHERE account_id = $1 AND campaign_id = $2),
c AS MATERIALIZED (SELECT k.*, r.state AS run_state FROM r JOIN chunk k ON k.account_id = $1
  AND k.run_id = r.id)
SELECT coalesce(sum(size) FILTER (WHERE NOT is_retry), 0),
  coalesce(sum(n_pending), 0) + coalesce(sum(size) FILTER (WHERE state = 0 AND run_state <> 5), 0),
  coalesce(sum(n_retry), 0), coalesce(sum(n_unknown), 0), coalesce(sum(n_sent), 0),
    coalesce(sum(n_failed), 0),
  coalesce(sum(n_skipped), 0), coalesce(sum(n_cancelled),
    0) + coalesce(sum(size) FILTER (WHERE state = 0 AND run_state = 5), 0),
  coalesce(sum(n_unknown_final), 0), coalesce(sum(n_expired), 0), coalesce(sum(n_undelivered), 0),
    coalesce(sum(n_delivered), 0),
  coalesce(sum(n_read), 0), coalesce(sum(n_opened), 0), coalesce(sum(n_clicked), 0),
    coalesce(sum(n_replied), 0),
  coalesce(sum(n_complained), 0), coalesce(sum(n_unsubscribed), 0)
FROM c;

-- name: run_variants
-- role: fan_gateway
-- The same by variant, from the first; who was skipped before he was given one is in none.
-- (account, campaign)
WITH r AS MATERIALIZED (SELECT id, state FROM run WHERE account_id = $1 AND campaign_id = $2),
c AS MATERIALIZED (SELECT k.*, r.state AS run_state FROM r JOIN chunk k ON k.account_id = $1
  AND k.run_id = r.id WHERE k.variant IS NOT NULL)
SELECT sum(size), sum(n_pending) + coalesce(sum(size) FILTER (WHERE state = 0
  AND run_state <> 5), 0), sum(n_retry), sum(n_unknown), sum(n_sent), sum(n_failed),
  sum(n_skipped), sum(n_cancelled) + coalesce(sum(size) FILTER (WHERE state = 0
  AND run_state = 5), 0), sum(n_unknown_final), sum(n_expired), sum(n_undelivered),
  sum(n_delivered), sum(n_read), sum(n_opened), sum(n_clicked), sum(n_replied),
  sum(n_complained), sum(n_unsubscribed), variant
FROM c GROUP BY variant ORDER BY variant;

-- name: run_sending
-- role: fan_gateway
-- How many messages a sender has opened and not closed: below the watermark of a claimed chunk, and
-- pending. (account, campaign)
WITH c AS MATERIALIZED (
  SELECT k.id << 9 AS lo, (k.id << 9) + k.watermark AS hi, k.is_retry,
    k.items[1 : k.watermark] AS items, k.id
  FROM run r JOIN chunk k ON k.account_id = $1 AND k.run_id = r.id AND k.state = 2
  WHERE r.account_id = $1 AND r.campaign_id = $2)
SELECT coalesce(sum(CASE WHEN c.is_retry
  THEN (SELECT count(*) FROM message m WHERE m.account_id = $1 AND m.id = ANY (c.items)
    AND m.state = 0 AND m.work = c.id)
  ELSE (SELECT count(*) FROM message m WHERE m.account_id = $1 AND m.id >= c.lo AND m.id < c.hi
    AND m.state = 0 AND m.work IS NULL) END),
  0)::bigint
FROM c;

-- name: run_leader
-- role: fan_scheduler
-- Whether this connection holds the scheduler's lock, taking it when it is free.
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 4605
  AND objid = 1 AND granted
    AND pid = pg_backend_pid()) OR pg_try_advisory_lock(4605, 1);

-- name: run_depose
-- role: fan_scheduler
-- End the connection that holds the scheduler's lock, when its process has not spoken on it for so
-- long: it hangs, or its host is out of reach. (microseconds) -> whether one was ended
SELECT coalesce(bool_or(pg_terminate_backend(a.pid)), false)
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = 4605 AND l.objid = 1 AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND a.usename = current_user AND fan_us(a.state_change) < fan_now() - $1::bigint;

-- name: run_partitions
-- role: fan_owner
-- Keep one partition of messages ahead of the newest chunk.
SELECT fan_message_partition(((SELECT last_value FROM chunk_id) >> 17) + 1);
