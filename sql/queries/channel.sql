-- Channels: configured ways of sending. The gateway writes sealed secrets and cannot read them.

-- name: channel_get
-- role: fan_gateway
-- (account, channel)
SELECT c.id, c.kind, c.provider, c.name, c.settings::text, c.secret_names, c.rate, c.connections,
  c.enabled, c.is_default, c.created_at, c.updated_at, p.health, p.health_reason, p.health_until,
  p.interval_us
FROM channel c JOIN channel_pace p ON p.account_id = $1 AND p.channel_id = c.id
WHERE c.account_id = $1 AND c.id = $2::bigint;

-- name: channel_page
-- role: fan_gateway
-- Newest first. (account, limit, offset, kind or 0)
SELECT c.id, c.kind, c.provider, c.name, c.settings::text, c.secret_names, c.rate, c.connections,
  c.enabled, c.is_default, c.created_at, c.updated_at, p.health, p.health_reason, p.health_until,
  p.interval_us
FROM channel c JOIN channel_pace p ON p.account_id = $1 AND p.channel_id = c.id
WHERE c.account_id = $1 AND ($4::smallint = 0 OR c.kind = $4)
ORDER BY c.id DESC LIMIT $2::bigint OFFSET $3::bigint;

-- name: channel_count
-- role: fan_gateway
-- (account, kind or 0)
SELECT count(*) FROM channel WHERE account_id = $1 AND ($2::smallint = 0 OR kind = $2);

-- name: channel_preferred
-- role: fan_gateway
-- The channel of a kind that is meant when none is named. (account, kind)
SELECT id FROM channel WHERE account_id = $1 AND kind = $2::smallint AND enabled
ORDER BY is_default DESC, id LIMIT 1;

-- name: channel_insert
-- role: fan_gateway
-- (account, kind, provider, name, settings, rate, connections, enabled, default)
INSERT INTO channel (account_id, kind, provider, name, settings, rate, connections, enabled,
  is_default)
VALUES ($1, $2::smallint, $3::text, $4::text, $5::text::jsonb, $6::float8, $7::int, $8::boolean,
  $9::boolean) RETURNING id;

-- name: channel_update
-- role: fan_gateway
-- (account, channel, name, settings, rate, connections, enabled, default)
UPDATE channel SET name = $3::text, settings = $4::text::jsonb, rate = $5::float8,
  connections = $6::int, enabled = $7::boolean, is_default = $8::boolean,
  updated_at = statement_timestamp()
WHERE account_id = $1 AND id = $2::bigint RETURNING id;

-- name: channel_seal
-- role: fan_gateway
-- Put all secrets anew. (account, channel, sealed for the sender, for the ingester, their names)
UPDATE channel SET sealed_sender = $3::bytea, sealed_ingester = $4::bytea,
  secret_names = $5::text[], updated_at = statement_timestamp()
WHERE account_id = $1 AND id = $2::bigint;

-- name: channel_no_other_default
-- role: fan_gateway
-- (account, channel, kind)
UPDATE channel SET is_default = false
WHERE account_id = $1 AND kind = $3::smallint AND id <> $2::bigint AND is_default;

-- name: channel_pace
-- role: fan_gateway
-- (account, channel, interval in microseconds)
-- What was learned of it is forgotten, and a breaker that is open closes: somebody has looked.
INSERT INTO channel_pace (account_id, channel_id, interval_us, configured_us)
VALUES ($1, $2::bigint, $3::bigint, $3)
ON CONFLICT (account_id, channel_id) DO UPDATE SET interval_us = excluded.interval_us,
  configured_us = excluded.configured_us, health = 0, health_reason = 0, health_times = 0,
  health_until = 0, prober = NULL;

-- name: channel_for_sender
-- role: fan_sender
-- All that it takes to send. (account, channel)
SELECT kind, provider, settings::text, sealed_sender, rate, connections, enabled FROM channel
WHERE account_id = $1 AND id = $2::bigint;

-- name: channel_for_ingester
-- role: fan_ingester
-- All that it takes to read callbacks. (account, channel)
SELECT kind, provider, settings::text, sealed_ingester, 0::float8, 0, enabled FROM channel
WHERE account_id = $1 AND id = $2::bigint;
