-- Contacts one at a time, and the attributes that an account has declared. Blocks of an import are
-- written by contact_upsert.sql.

-- name: contact_get
-- role: fan_gateway
-- (account, contact)
SELECT id, external_id, phone, email, first_name, last_name, company, country, language, time_zone,
  attributes::text, source, created_at, updated_at,
  ARRAY(SELECT t.name FROM contact_tag x JOIN tag t ON t.account_id = $1 AND t.id = x.tag_id
    WHERE x.account_id = $1 AND x.contact_id = c.id ORDER BY t.name)
FROM contact c WHERE c.account_id = $1 AND c.id = $2::bigint;

-- name: contact_page
-- role: fan_gateway
-- Newest first. (account, limit, offset)
SELECT id, external_id, phone, email, first_name, last_name, company, country, language, time_zone,
  attributes::text, source, created_at, updated_at,
  ARRAY(SELECT t.name FROM contact_tag x JOIN tag t ON t.account_id = $1 AND t.id = x.tag_id
    WHERE x.account_id = $1 AND x.contact_id = c.id ORDER BY t.name)
FROM contact c WHERE c.account_id = $1 ORDER BY c.id DESC LIMIT $2::bigint OFFSET $3::bigint;

-- name: contact_page_tagged
-- role: fan_gateway
-- The same for those with a tag. (account, limit, offset, tag)
SELECT c.id, external_id, phone, email, first_name, last_name, company, country, language,
  time_zone, attributes::text, source, created_at, updated_at,
  ARRAY(SELECT t.name FROM contact_tag x JOIN tag t ON t.account_id = $1 AND t.id = x.tag_id
    WHERE x.account_id = $1 AND x.contact_id = c.id ORDER BY t.name)
FROM (SELECT contact_id FROM contact_tag WHERE account_id = $1 AND tag_id = $4::bigint
    ORDER BY contact_id DESC LIMIT $2::bigint OFFSET $3::bigint) p
CROSS JOIN LATERAL (SELECT * FROM contact WHERE account_id = $1 AND id = p.contact_id OFFSET 0) c
ORDER BY c.id DESC;

-- name: contact_page_like
-- role: fan_gateway
-- The same for those with exactly this external id, phone or e-mail. (account, limit, offset, text)
SELECT id, external_id, phone, email, first_name, last_name, company, country, language, time_zone,
  attributes::text, source, created_at, updated_at,
  ARRAY(SELECT t.name FROM contact_tag x JOIN tag t ON t.account_id = $1 AND t.id = x.tag_id
    WHERE x.account_id = $1 AND x.contact_id = c.id ORDER BY t.name)
FROM contact c WHERE c.account_id = $1 AND c.id = ANY (ARRAY(
    SELECT id FROM contact WHERE account_id = $1 AND external_id = $4::text
    UNION SELECT id FROM contact WHERE account_id = $1 AND phone = $4
    UNION SELECT id FROM contact WHERE account_id = $1 AND email = $4))
ORDER BY c.id DESC LIMIT $2::bigint OFFSET $3::bigint;

-- name: contact_count
-- role: fan_gateway
-- scan: a count reads what it counts
SELECT count(*) FROM contact WHERE account_id = $1;

-- name: contact_count_tagged
-- role: fan_gateway
-- Contacts with any of these tags. (account, tags)
SELECT count(DISTINCT contact_id) FROM contact_tag
WHERE account_id = $1 AND tag_id = ANY ($2::bigint[]);

-- name: contact_count_like
-- role: fan_gateway
-- scan: on an empty table all indexes look alike; each part has its own
-- (account, text)
SELECT count(*) FROM (SELECT id FROM contact WHERE account_id = $1 AND external_id = $2::text
  UNION SELECT id FROM contact WHERE account_id = $1 AND phone = $2
  UNION SELECT id FROM contact WHERE account_id = $1 AND email = $2) c;

-- name: contact_missing
-- role: fan_gateway
-- The first of these ids that is nobody's. (account, ids)
SELECT u.id FROM unnest($2::bigint[]) WITH ORDINALITY u(id, place)
WHERE NOT EXISTS (SELECT FROM contact c WHERE c.account_id = $1 AND c.id = u.id)
ORDER BY u.place LIMIT 1;

-- name: contact_lock
-- role: fan_gateway
-- Nobody else makes a contact of this account until the transaction ends; import_lock_people takes
-- the same lock.
SELECT pg_advisory_xact_lock(hashtextextended('contacts', $1));

-- name: contact_match
-- role: fan_gateway
-- By external id, then phone, then e-mail; one of another external id is somebody else.
-- (account, external id, phone, e-mail)
SELECT id FROM (
  (SELECT id, 1 AS rank FROM contact WHERE account_id = $1 AND external_id = $2::text)
  UNION ALL
  (SELECT id, 2 FROM contact WHERE account_id = $1 AND phone = $3::text
    AND ($2 IS NULL OR external_id IS NULL) ORDER BY id LIMIT 1)
  UNION ALL
  (SELECT id, 3 FROM contact WHERE account_id = $1 AND email = $4::text
    AND ($2 IS NULL OR external_id IS NULL) ORDER BY id LIMIT 1)) m
ORDER BY rank LIMIT 1;

-- name: contact_insert
-- role: fan_gateway
INSERT INTO contact (account_id, external_id, phone, email, first_name, last_name, company, country,
  language, time_zone, attributes, source)
VALUES ($1, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text,
  $10::text, coalesce($11::text::jsonb, '{}'), $12::text) RETURNING id;

-- name: contact_update
-- role: fan_gateway
-- What is null stays; attributes are merged. The last parameter is the contact.
UPDATE contact SET external_id = coalesce($2::text, external_id), phone = coalesce($3::text, phone),
  email = coalesce($4::text, email), first_name = coalesce($5::text, first_name),
  last_name = coalesce($6::text, last_name), company = coalesce($7::text, company),
  country = coalesce($8::text, country), language = coalesce($9::text, language),
  time_zone = coalesce($10::text, time_zone),
  attributes = attributes || coalesce($11::text::jsonb, '{}'), source = coalesce($12::text, source),
  updated_at = statement_timestamp()
WHERE account_id = $1 AND id = $13::bigint RETURNING id;

-- name: contact_attributes
-- role: fan_gateway, fan_audience, fan_renderer
SELECT coalesce(array_agg(name ORDER BY id), '{}') FROM attribute WHERE account_id = $1;

-- name: contact_attributes_declare
-- role: fan_gateway, fan_owner
-- (account, names)
INSERT INTO attribute (account_id, name) SELECT $1, n FROM unnest($2::text[]) n
ON CONFLICT (account_id, name) DO NOTHING;
