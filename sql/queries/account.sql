-- Accounts, their users and keys, and what repeated requests are answered with.

-- name: account_next_id
-- role: fan_owner
SELECT nextval('account_id');

-- name: account_insert
-- role: fan_owner
-- (account, name, default country)
INSERT INTO account (account_id, name, default_country) VALUES ($1, $2::text, $3::text);

-- name: account_user_insert
-- role: fan_owner
-- (account, e-mail, name) -> user
INSERT INTO app_user (account_id, email, name, role) VALUES ($1, $2::text, $3::text, 'owner')
RETURNING id;

-- name: account_key_insert
-- role: fan_owner, fan_gateway
-- (account, user, name, hash of the key) -> key
INSERT INTO api_key (account_id, user_id, name, hash) VALUES ($1, $2::bigint, $3::text, $4::bytea)
RETURNING id;

-- name: account_get
-- role: fan_gateway, fan_audience, fan_renderer, fan_scheduler
SELECT name, default_country, fallbacks::text FROM account WHERE account_id = $1;

-- name: account_key_find
-- role: fan_gateway
-- A key that may be used now. (account, hash) -> key, user, role, whether to note its use
SELECT k.id, u.id, u.role,
  k.last_used_at IS NULL OR k.last_used_at < statement_timestamp() - interval '1 minute'
FROM api_key k JOIN app_user u ON u.account_id = $1 AND u.id = k.user_id
WHERE k.account_id = $1 AND k.hash = $2::bytea AND k.revoked_at IS NULL
  AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp());

-- name: account_key_used
-- role: fan_gateway
-- (account, key)
UPDATE api_key SET last_used_at = statement_timestamp() WHERE account_id = $1 AND id = $2::bigint;

-- name: account_repeat_claim
-- role: fan_gateway
-- Take a key for a request; waits while another request with it is under way. No row: it was used.
-- (account, key, hash of the request)
INSERT INTO idempotency (account_id, key, request_hash) VALUES ($1, $2::text, $3::bytea)
ON CONFLICT (account_id, key) DO NOTHING RETURNING key;

-- name: account_repeat_find
-- role: fan_gateway
-- (account, key) -> hash of its request, and the answer
SELECT request_hash, coalesce(status, 0), body FROM idempotency
WHERE account_id = $1 AND key = $2::text;

-- name: account_repeat_answered
-- role: fan_gateway
-- (account, key, status, body)
UPDATE idempotency SET status = $3::int, body = $4::text WHERE account_id = $1 AND key = $2::text;

-- name: account_repeat_forget
-- role: fan_gateway
-- Drop a few keys that are older than so many microseconds. (account, age, limit)
DELETE FROM idempotency WHERE account_id = $1 AND key = ANY (ARRAY(
  SELECT key FROM idempotency
  WHERE account_id = $1 AND created_at < fan_time(fan_now() - $2::bigint)
  ORDER BY created_at LIMIT $3::bigint FOR UPDATE SKIP LOCKED));
