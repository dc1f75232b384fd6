-- Who must not be written to.

-- name: suppression_add
-- role: fan_sender, fan_ingester
-- Suppress the recipients of some messages. (account, message ids, kind, reason)
INSERT INTO suppression (account_id, contact_id, kind, reason)
SELECT DISTINCT $1::bigint, m.contact_id, $3::smallint, $4::text FROM message m
  WHERE m.account_id = $1 AND m.id = ANY ($2::bigint[])
ON CONFLICT DO NOTHING;
