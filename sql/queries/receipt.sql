-- What providers and recipients said, as the ingester applies it. The merge itself is
-- chunk_receipts.

-- name: receipt_note
-- role: fan_ingester
-- Note events, and say which ones are new. (account, channels, keys, instants)
INSERT INTO provider_event (account_id, channel_id, key, day)
SELECT $1::bigint, u.channel, u.key, fan_time(u.at)::date
FROM unnest($2::bigint[], $3::bytea[], $4::bigint[]) u(channel, key, at)
ON CONFLICT DO NOTHING RETURNING channel_id, key;

-- name: receipt_matters
-- role: fan_ingester
-- Which of these words would change their message. What a message has come to is never taken back,
-- so a word that changes nothing now never will; only the others need locks.
-- (account, message ids, progress, flags) -> places
SELECT e.place FROM unnest($2::bigint[], $3::smallint[], $4::smallint[])
  WITH ORDINALITY e(id, progress, flags, place)
CROSS JOIN LATERAL (
  SELECT state, progress, flags FROM message WHERE account_id = $1 AND id = e.id OFFSET 0) m
WHERE m.state NOT IN (5, 6, 8)
  AND (e.progress > m.progress OR (e.flags & ~m.flags) <> 0 OR m.state <> 3) ORDER BY e.place;

-- name: receipt_suppress
-- role: fan_ingester
-- The recipients of some messages must not be written to again, on the kind of channel that these
-- went out on. (account, message ids, reasons)
INSERT INTO suppression (account_id, contact_id, kind, reason)
SELECT DISTINCT ON (s.contact_id, s.kind) $1::bigint, s.contact_id, s.kind, u.reason
FROM unnest($2::bigint[], $3::text[]) u(id, reason) CROSS JOIN LATERAL (
  SELECT m.contact_id,
    (SELECT r.kind FROM chunk c JOIN run r ON r.account_id = $1 AND r.id = c.run_id
      WHERE c.account_id = $1 AND c.id = u.id >> 9) AS kind
  FROM message m WHERE m.account_id = $1 AND m.id = u.id LIMIT 1) s
WHERE s.kind IS NOT NULL ORDER BY s.contact_id, s.kind
ON CONFLICT DO NOTHING;
