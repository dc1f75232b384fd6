-- Pictures, sounds and documents.

-- name: media_claim
-- role: fan_gateway
-- The row of an object that arrives, or that is there already. (account, hash, type, bytes, width
-- or null, height or null, name, user or null) -> id, state
INSERT INTO media (account_id, hash, type, bytes, width, height, name, created_by)
VALUES ($1, $2::bytea, $3::text, $4::bigint, $5::bigint, $6::bigint, $7::text, $8::bigint)
ON CONFLICT (account_id, hash) DO UPDATE SET name = media.name
RETURNING id, state;

-- name: media_others
-- role: fan_gateway
-- Bytes of all but one. (account, hash of that one)
SELECT coalesce(sum(bytes), 0)::bigint FROM media WHERE account_id = $1 AND hash <> $2::bytea;

-- name: media_ready
-- role: fan_gateway
-- The object is in the store. (account, media) -> id
UPDATE media SET state = 1 WHERE account_id = $1 AND id = $2::bigint AND state IN (0, 1)
RETURNING id;

-- name: media_removing
-- role: fan_gateway
-- The object is about to go. (account, media) -> id
UPDATE media SET state = 2 WHERE account_id = $1 AND id = $2::bigint AND state IN (1, 2)
RETURNING id;

-- name: media_delete
-- role: fan_gateway
-- The object is gone. (account, media) -> id
DELETE FROM media WHERE account_id = $1 AND id = $2::bigint AND state = 2 RETURNING id;

-- name: media_get
-- role: fan_gateway
-- (account, media)
SELECT id, hash, type, bytes, coalesce(width, 0), coalesce(height, 0), name,
  coalesce(created_by, 0), created_at, state
FROM media WHERE account_id = $1 AND id = $2::bigint AND state IN (1, 2);

-- name: media_page
-- role: fan_gateway
-- The newest first. (account, limit, offset, beginning of the type)
SELECT id, hash, type, bytes, coalesce(width, 0), coalesce(height, 0), name,
  coalesce(created_by, 0), created_at, state
FROM media WHERE account_id = $1 AND state = 1 AND starts_with(type, $4::text)
ORDER BY id DESC LIMIT $2::bigint OFFSET $3::bigint;

-- name: media_count
-- role: fan_gateway
-- (account, beginning of the type)
SELECT count(*) FROM media
WHERE account_id = $1 AND state = 1 AND starts_with(type, $2::text);

-- name: media_uses
-- role: fan_gateway
-- How many campaigns that are not over, their runs, and templates that are not archived have it.
-- (account, how its link begins)
SELECT (SELECT count(*) FROM campaign c WHERE c.account_id = $1 AND c.state < 5
    AND strpos(c.content::text, $2::text) > 0)
  + (SELECT count(*) FROM run r JOIN campaign c ON c.account_id = $1 AND c.id = r.campaign_id
    WHERE r.account_id = $1 AND c.state < 5 AND strpos(r.content::text, $2) > 0)
  + (SELECT count(*) FROM template t JOIN template_version v ON v.account_id = $1
      AND v.template_id = t.id
    WHERE t.account_id = $1 AND NOT t.archived AND strpos(v.content::text, $2) > 0);
