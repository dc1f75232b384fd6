-- Taking in an import's blocks: a block's people, its errors and the import's cursor move in one
-- transaction. Who a row is about is decided in between, by the process.

-- name: import_hold
-- role: fan_audience
-- An import that can move: there are blocks, or the whole file was received. No row: it ended, it
-- waits, or another process is at it. (account, import)
SELECT state, source, default_country, delimiter, cardinality(header), mapping, tag_ids,
  next_block, blocks
FROM import WHERE account_id = $1 AND id = $2::bigint AND state IN (0, 1)
  AND (next_block < blocks OR state = 1) FOR NO KEY UPDATE SKIP LOCKED;

-- name: import_block
-- role: fan_audience
-- (account, import, place)
SELECT first_line, body FROM import_block
WHERE account_id = $1 AND import_id = $2::bigint AND seq = $3::int;

-- name: import_lock_people
-- role: fan_audience
-- One block of an account at a time: two that bring the same new person would both make him.
SELECT pg_advisory_xact_lock(hashtextextended('contacts', $1));

-- name: import_candidates
-- role: fan_audience
-- Whom some rows may be about. Of people who share a number or an address the first 16 count.
-- (account, external ids, phones, e-mails; each distinct)
SELECT c.id, c.external_id, c.phone, c.email FROM unnest($2::text[]) u
JOIN contact c ON c.account_id = $1 AND c.external_id = u
UNION ALL
SELECT c.* FROM unnest($3::text[]) u CROSS JOIN LATERAL (
  SELECT id, external_id, phone, email FROM contact WHERE account_id = $1 AND phone = u
  ORDER BY id LIMIT 16) c
UNION ALL
SELECT c.* FROM unnest($4::text[]) u CROSS JOIN LATERAL (
  SELECT id, external_id, phone, email FROM contact WHERE account_id = $1 AND email = u
  ORDER BY id LIMIT 16) c;

-- name: import_new_ids
-- role: fan_audience
-- (how many)
SELECT nextval('contact_id') FROM generate_series(1, $1::int);

-- name: import_insert_people
-- role: fan_audience
-- (account, source, ids, external ids, phones, e-mails, first names, last names, companies,
-- countries, languages, time zones, attributes)
INSERT INTO contact (account_id, id, external_id, phone, email, first_name, last_name, company,
  country, language, time_zone, attributes, source)
SELECT $1::bigint, u.id, u.external_id, u.phone, u.email, u.first_name, u.last_name, u.company, u.country,
  u.language, u.time_zone, coalesce(u.attributes::jsonb, '{}'), $2::text
FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
  $10::text[], $11::text[], $12::text[], $13::text[]) u(id, external_id, phone, email, first_name,
  last_name, company, country, language, time_zone, attributes);

-- name: import_update_people
-- role: fan_audience
-- The same for people we know: what is null stays, attributes are merged. A contact that already
-- is as the file says is not written again.
UPDATE contact c SET external_id = coalesce(u.external_id, c.external_id),
  phone = coalesce(u.phone, c.phone), email = coalesce(u.email, c.email),
  first_name = coalesce(u.first_name, c.first_name),
  last_name = coalesce(u.last_name, c.last_name), company = coalesce(u.company, c.company),
  country = coalesce(u.country, c.country), language = coalesce(u.language, c.language),
  time_zone = coalesce(u.time_zone, c.time_zone),
  attributes = c.attributes || coalesce(u.attributes::jsonb, '{}'),
  source = coalesce($2::text, c.source), updated_at = statement_timestamp()
FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
  $10::text[], $11::text[], $12::text[], $13::text[]) u(id, external_id, phone, email, first_name,
  last_name, company, country, language, time_zone, attributes)
WHERE c.account_id = $1 AND c.id = u.id AND (
  coalesce(u.external_id <> c.external_id, u.external_id IS NOT NULL)
  OR coalesce(u.phone <> c.phone, u.phone IS NOT NULL)
  OR coalesce(u.email <> c.email, u.email IS NOT NULL)
  OR coalesce(u.first_name <> c.first_name, u.first_name IS NOT NULL)
  OR coalesce(u.last_name <> c.last_name, u.last_name IS NOT NULL)
  OR coalesce(u.company <> c.company, u.company IS NOT NULL)
  OR coalesce(u.country <> c.country, u.country IS NOT NULL)
  OR coalesce(u.language <> c.language, u.language IS NOT NULL)
  OR coalesce(u.time_zone <> c.time_zone, u.time_zone IS NOT NULL)
  OR coalesce($2 <> c.source, $2 IS NOT NULL)
  OR c.attributes || coalesce(u.attributes::jsonb, '{}') <> c.attributes);

-- name: import_tag_people
-- role: fan_audience
-- (account, tags, contacts: pairs)
INSERT INTO contact_tag (account_id, tag_id, contact_id)
SELECT $1::bigint, u.tag, u.contact FROM unnest($2::bigint[], $3::bigint[]) u(tag, contact)
ON CONFLICT DO NOTHING;

-- name: import_note_errors
-- role: fan_audience
-- (account, import, lines, fields, reasons, whether warnings only: 0 or 1, records)
INSERT INTO import_error (account_id, import_id, line, field, reason, warning, record)
SELECT $1::bigint, $2::bigint, u.line, u.field, u.reason, u.warning = 1, u.record
FROM unnest($3::bigint[], $4::text[], $5::text[], $6::smallint[], $7::text[])
  u(line, field, reason, warning, record)
ON CONFLICT DO NOTHING;

-- name: import_advance
-- role: fan_audience
-- Move the cursor behind a block (1) or find that there is none left (0); the last one of a file
-- that was received whole ends the import. (account, import, blocks, rows, created, updated,
-- rejected, warnings)
UPDATE import SET next_block = next_block + $3::int, rows = rows + $4::bigint,
  created = created + $5::bigint, updated = updated + $6::bigint,
  rejected = rejected + $7::bigint, warnings = warnings + $8::bigint,
  touched_at = statement_timestamp(),
  state = CASE WHEN state = 1 AND next_block + $3 >= blocks THEN 2 ELSE state END,
  ended_at = CASE WHEN state = 1 AND next_block + $3 >= blocks THEN statement_timestamp() END
WHERE account_id = $1 AND id = $2::bigint RETURNING state, rows;

-- name: import_block_done
-- role: fan_audience
-- (account, import, place)
DELETE FROM import_block WHERE account_id = $1 AND import_id = $2::bigint AND seq = $3::int;
