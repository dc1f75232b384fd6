-- Campaigns as people write and read them. What launches and ends them stands in run.sql.

-- name: campaign_get
-- role: fan_gateway
-- (account, campaign)
SELECT id, display_id, name, description, kind, coalesce(channel_id, 0), content::text,
  details::text, tag_ids, scheduled_at, start_date, end_date, state, enabled, archived,
  at_least_once, coalesce(sender_id, 0), created_at, updated_at, started_at, ended_at,
  paused_at, coalesce(c.hold_reason, CASE WHEN c.state IN (1, 2, 3) THEN (
    SELECT coalesce(ctl.hold_reason, 'sending is stopped: ' || ctl.stop_reason) FROM ctl) END),
  lane, coalesce(late_start_grace_s, -1),
  ARRAY(SELECT t.name FROM tag t WHERE t.account_id = $1 AND t.id = ANY (c.tag_ids)
    ORDER BY t.name), retry, coalesce(unknown_wait_us, -1), coalesce(template_id, 0),
  coalesce(template_version, 0)
FROM campaign c WHERE c.account_id = $1 AND c.id = $2::bigint;

-- name: campaign_page
-- role: fan_gateway
-- Newest first. (account, limit, offset, kind or 0, state or -1, archived)
SELECT id, display_id, name, description, kind, coalesce(channel_id, 0), content::text,
  details::text, tag_ids, scheduled_at, start_date, end_date, state, enabled, archived,
  at_least_once, coalesce(sender_id, 0), created_at, updated_at, started_at, ended_at,
  paused_at, coalesce(c.hold_reason, CASE WHEN c.state IN (1, 2, 3) THEN (
    SELECT coalesce(ctl.hold_reason, 'sending is stopped: ' || ctl.stop_reason) FROM ctl) END),
  lane, coalesce(late_start_grace_s, -1),
  ARRAY(SELECT t.name FROM tag t WHERE t.account_id = $1 AND t.id = ANY (c.tag_ids)
    ORDER BY t.name), retry, coalesce(unknown_wait_us, -1), coalesce(template_id, 0),
  coalesce(template_version, 0)
FROM campaign c
WHERE c.account_id = $1 AND ($4::smallint = 0 OR c.kind = $4) AND ($5::smallint < 0 OR c.state = $5)
  AND c.archived = $6::boolean
ORDER BY c.id DESC LIMIT $2::bigint OFFSET $3::bigint;

-- name: campaign_count
-- role: fan_gateway
-- (account, kind or 0, state or -1, archived)
SELECT count(*) FROM campaign
WHERE account_id = $1 AND ($2::smallint = 0 OR kind = $2) AND ($3::smallint < 0 OR state = $3)
  AND archived = $4::boolean;

-- name: campaign_number_lock
-- role: fan_gateway
-- Campaigns of an account are numbered one after the other.
SELECT pg_advisory_xact_lock(hashtextextended('campaign number', $1));

-- name: campaign_insert
-- role: fan_gateway
-- After campaign_number_lock. (account, name, description, kind, channel, content, details, tags,
-- scheduled, start, end, state, enabled, at least once, sender, retry, unknown wait or null, lane,
-- late start's grace or null, template or null, its version or null)
INSERT INTO campaign (account_id, display_id, name, description, kind, channel_id, content, details,
  tag_ids, scheduled_at, start_date, end_date, state, enabled, at_least_once, sender_id, retry,
  unknown_wait_us, lane, late_start_grace_s, template_id, template_version)
VALUES ($1, (SELECT coalesce(max(display_id), 0) + 1 FROM campaign WHERE account_id = $1),
  $2::text, $3::text, $4::smallint, $5::bigint, $6::text::jsonb, $7::text::jsonb, $8::bigint[],
  $9::timestamptz, $10::timestamptz, $11::timestamptz, $12::smallint, $13::boolean, $14::boolean,
  $15::bigint, $16::smallint, $17::bigint, $18::smallint, $19::int, $20::bigint, $21::int)
RETURNING id;

-- name: campaign_update
-- role: fan_gateway
-- The same, of one that was not launched; the last parameter is the campaign.
UPDATE campaign SET name = $2::text, description = $3::text, kind = $4::smallint,
  channel_id = $5::bigint, content = $6::text::jsonb, details = $7::text::jsonb,
  tag_ids = $8::bigint[], scheduled_at = $9::timestamptz, start_date = $10::timestamptz,
  end_date = $11::timestamptz, state = $12::smallint, enabled = $13::boolean,
  at_least_once = $14::boolean, sender_id = $15::bigint, retry = $16::smallint,
  unknown_wait_us = $17::bigint, lane = $18::smallint, late_start_grace_s = $19::int,
  template_id = $20::bigint, template_version = $21::int, hold_reason = NULL,
  updated_at = statement_timestamp()
WHERE account_id = $1 AND id = $22::bigint AND state IN (0, 1) RETURNING id;

-- name: campaign_lock
-- role: fan_gateway
-- Hold a campaign so that nobody launches or changes it meanwhile. (account, campaign) -> state
SELECT state FROM campaign WHERE account_id = $1 AND id = $2::bigint FOR UPDATE;

-- name: campaign_delete
-- role: fan_gateway
-- (account, campaign): one that never ran
DELETE FROM campaign WHERE account_id = $1 AND id = $2::bigint AND state IN (0, 1, 4, 7)
  AND NOT EXISTS (SELECT FROM run r WHERE r.account_id = $1 AND r.campaign_id = $2) RETURNING id;

-- name: campaign_archive
-- role: fan_gateway
-- Keep it out of lists. (account, campaign)
UPDATE campaign SET archived = true, updated_at = statement_timestamp()
WHERE account_id = $1 AND id = $2::bigint AND NOT archived;

-- name: campaign_feed
-- role: fan_gateway
-- Add a tag to the audience of one that was not launched. (account, campaign, tag)
UPDATE campaign SET tag_ids = tag_ids || $3::bigint, updated_at = statement_timestamp()
WHERE account_id = $1 AND id = $2::bigint AND state IN (0, 1) AND NOT $3 = ANY (tag_ids);

-- name: campaign_user_exists
-- role: fan_gateway
-- (account, user)
SELECT EXISTS (SELECT FROM app_user WHERE account_id = $1 AND id = $2::bigint);
