-- Who must not be written to.

-- name: suppression_holds
-- role: fan_gateway
-- Whether somebody must not be written to. (account, contact, kind)
SELECT EXISTS (SELECT FROM suppression
  WHERE account_id = $1 AND contact_id = $2::bigint AND kind IN (0, $3::smallint));

-- name: suppression_add
-- role: fan_sender, fan_ingester
-- Suppress the recipients of some messages. (account, message ids, kind, reason)
INSERT INTO suppression (account_id, contact_id, kind, reason)
SELECT DISTINCT $1::bigint, m.contact_id, $3::smallint, $4::text FROM message m
  WHERE m.account_id = $1 AND m.id = ANY ($2::bigint[])
ON CONFLICT DO NOTHING;
