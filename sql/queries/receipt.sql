-- What providers and recipients said, as the ingester applies it. The merge itself is
-- chunk_receipts.
--
-- A word is one number, progress + (flags << 8), and stands in an array beside the ascending ids of
-- its messages: width_bucket finds the place of an id by halving. A join of the arrays to message
-- would be a nested loop over all pairs, 40 us a receipt in batches of 1,000. The range beside the
-- ids spares the partitions where none of them is.

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
-- (account, message ids, words, codes, instants of delivery, of reading) -> places
SELECT width_bucket(m.id, $2::bigint[])::bigint FROM message m
WHERE m.account_id = $1 AND m.id = ANY ($2) AND m.id >= ($2)[1] AND m.id <= ($2)[cardinality($2)]
  AND m.state NOT IN (5, 8)
  AND (($3::int[])[width_bucket(m.id, $2)] & 255 > m.progress
    OR (($3)[width_bucket(m.id, $2)] >> 8) & ~m.flags <> 0 OR m.state <> 3
    OR fan_time(($5::bigint[])[width_bucket(m.id, $2)]) < coalesce(m.delivered_at, 'infinity')
    OR fan_time(($6::bigint[])[width_bucket(m.id, $2)]) < coalesce(m.read_at, 'infinity')
    OR ($3)[width_bucket(m.id, $2)] & 255 = 1 AND m.progress = 1
      AND ($4::text[])[width_bucket(m.id, $2)] COLLATE "C" > coalesce(m.code, ''))
ORDER BY 1;

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
