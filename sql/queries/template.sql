-- Templates and their versions, which never change.

-- name: template_get
-- role: fan_gateway
-- One with one of its versions. (account, template, version or 0: the newest)
SELECT t.id, t.name, t.kind, t.description, t.category, t.tags, t.archived, t.latest, t.created_at,
  t.updated_at, v.number, v.content::text, v.note, coalesce(v.author_id, 0), v.created_at
FROM template t JOIN template_version v ON v.account_id = $1 AND v.template_id = t.id
  AND v.number = CASE WHEN $3::int = 0 THEN t.latest ELSE $3 END
WHERE t.account_id = $1 AND t.id = $2::bigint;

-- name: template_page
-- role: fan_gateway
-- By name. (account, limit, offset, kind or 0, archived, tag or null, category or null, part of the
-- name or description or null)
SELECT t.id, t.name, t.kind, t.description, t.category, t.tags, t.archived, t.latest, t.created_at,
  t.updated_at, t.latest, NULL::text, NULL::text, 0::bigint, NULL::timestamptz
FROM template t
WHERE t.account_id = $1 AND ($4::smallint = 0 OR t.kind = $4) AND t.archived = $5::boolean
  AND ($6::text IS NULL OR $6 = ANY (t.tags)) AND ($7::text IS NULL OR t.category = $7)
  AND ($8::text IS NULL OR strpos(lower(t.name), lower($8)) > 0
    OR strpos(lower(coalesce(t.description, '')), lower($8)) > 0)
ORDER BY t.name, t.id LIMIT $2::bigint OFFSET $3::bigint;

-- name: template_count
-- role: fan_gateway
-- (account, kind or 0, archived, tag, category, part or null)
SELECT count(*) FROM template t
WHERE t.account_id = $1 AND ($2::smallint = 0 OR t.kind = $2) AND t.archived = $3::boolean
  AND ($4::text IS NULL OR $4 = ANY (t.tags)) AND ($5::text IS NULL OR t.category = $5)
  AND ($6::text IS NULL OR strpos(lower(t.name), lower($6)) > 0
    OR strpos(lower(coalesce(t.description, '')), lower($6)) > 0);

-- name: template_insert
-- role: fan_gateway
-- (account, name, kind, description, category, tags) -> id
INSERT INTO template (account_id, name, kind, description, category, tags)
VALUES ($1, $2::text, $3::smallint, $4::text, $5::text, $6::text[]) RETURNING id;

-- name: template_update
-- role: fan_gateway
-- (account, template, name, description, category, tags, archived)
UPDATE template SET name = $3::text, description = $4::text, category = $5::text,
  tags = $6::text[], archived = $7::boolean, updated_at = statement_timestamp()
WHERE account_id = $1 AND id = $2::bigint RETURNING id;

-- name: template_lock
-- role: fan_gateway
-- Hold it, so that nobody else changes it meanwhile. (account, template)
SELECT id FROM template WHERE account_id = $1 AND id = $2::bigint FOR UPDATE;

-- name: template_advance
-- role: fan_gateway
-- Count a new version; the row stays held until it is written. (account, template) -> its number
UPDATE template SET latest = latest + 1, updated_at = statement_timestamp()
WHERE account_id = $1 AND id = $2::bigint RETURNING latest;

-- name: template_version_insert
-- role: fan_gateway
-- (account, template, number, content, note, author)
INSERT INTO template_version (account_id, template_id, number, content, note, author_id)
VALUES ($1, $2::bigint, $3::int, $4::text::jsonb, $5::text, $6::bigint);

-- name: template_versions
-- role: fan_gateway
-- Newest first, without their contents. (account, template, limit, offset)
SELECT number, NULL::text, note, coalesce(author_id, 0), created_at FROM template_version
WHERE account_id = $1 AND template_id = $2::bigint
ORDER BY number DESC LIMIT $3::bigint OFFSET $4::bigint;

-- name: template_same
-- role: fan_gateway
-- Whether the newest version has exactly this content. (account, template, content)
SELECT EXISTS (SELECT FROM template t JOIN template_version v ON v.account_id = $1
    AND v.template_id = t.id AND v.number = t.latest
  WHERE t.account_id = $1 AND t.id = $2::bigint AND v.content = $3::text::jsonb);

-- name: template_find
-- role: fan_gateway
-- (account, name) -> id
SELECT id FROM template WHERE account_id = $1 AND name = $2::text;
