-- Taking in an import's blocks: a block's people, its errors and the import's cursor move in one
-- transaction. Who a row is about is decided in between, by the process.

-- name: import_lock
-- role: fan_audience
-- One process at a time takes in an import. Not by its row: the upload notes there what it has
-- received, and must not wait for a block to be taken in. (import)
SELECT pg_try_advisory_xact_lock((4607::bigint << 40) + $1::bigint);

-- name: import_hold
-- role: fan_audience
-- An import that can move: there are blocks, or the whole file was received. No row: it ended or
-- waits. After import_lock, so that it shows what the one before left. (account, import)
SELECT state, source, default_country, delimiter, cardinality(header), mapping, tag_ids,
  next_block, blocks
FROM import WHERE account_id = $1 AND id = $2::bigint AND state IN (0, 1)
  AND (next_block < blocks OR state = 1);

-- name: import_block
-- role: fan_audience
-- (account, import, place)
SELECT first_line, body FROM import_block
WHERE account_id = $1 AND import_id = $2::bigint AND seq = $3::int;

-- name: import_lock_people
-- role: fan_audience
-- One block of an account at a time, and no contact_lock beside it: two who bring the same new
-- person would both make him.
SELECT pg_advisory_xact_lock(hashtextextended('contacts', $1));

-- name: import_candidates
-- role: fan_audience
-- Whom some rows may be about. Of people who share a number or an address the first 16 count. The
-- limits also keep the order of the joins, and their order picks the index, whatever the planner
-- thinks of a table just filled: of equals it takes any, for external ids therefore a range.
-- (account, external ids, phones, e-mails; each distinct)
SELECT c.* FROM unnest($2::text[]) u CROSS JOIN LATERAL (
  SELECT id, external_id, phone, email FROM contact WHERE account_id = $1 AND external_id >= u
    AND external_id <= u
  ORDER BY external_id LIMIT 1) c
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

-- name: import_put_people
-- role: fan_audience
-- People who are new get ids that are new; of those we have, what is null stays and attributes are
-- merged. A contact that already is as the file says is not written again. (account, source, ids,
-- external ids, phones, e-mails, first names, last names, companies, countries, languages, time
-- zones, attributes)
INSERT INTO contact AS c (account_id, id, external_id, phone, email, first_name, last_name, company,
  country, language, time_zone, attributes, source)
SELECT $1::bigint, u.id, u.external_id, u.phone, u.email, u.first_name, u.last_name, u.company,
  u.country, u.language, u.time_zone, coalesce(u.attributes::jsonb, '{}'), $2::text
FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
  $10::text[], $11::text[], $12::text[], $13::text[]) u(id, external_id, phone, email, first_name,
  last_name, company, country, language, time_zone, attributes)
ON CONFLICT (account_id, id) DO UPDATE SET
  external_id = coalesce(excluded.external_id, c.external_id),
  phone = coalesce(excluded.phone, c.phone), email = coalesce(excluded.email, c.email),
  first_name = coalesce(excluded.first_name, c.first_name),
  last_name = coalesce(excluded.last_name, c.last_name),
  company = coalesce(excluded.company, c.company), country = coalesce(excluded.country, c.country),
  language = coalesce(excluded.language, c.language),
  time_zone = coalesce(excluded.time_zone, c.time_zone),
  attributes = c.attributes || excluded.attributes, source = coalesce(excluded.source, c.source),
  updated_at = statement_timestamp()
WHERE coalesce(excluded.external_id, c.external_id) IS DISTINCT FROM c.external_id
  OR coalesce(excluded.phone, c.phone) IS DISTINCT FROM c.phone
  OR coalesce(excluded.email, c.email) IS DISTINCT FROM c.email
  OR coalesce(excluded.first_name, c.first_name) IS DISTINCT FROM c.first_name
  OR coalesce(excluded.last_name, c.last_name) IS DISTINCT FROM c.last_name
  OR coalesce(excluded.company, c.company) IS DISTINCT FROM c.company
  OR coalesce(excluded.country, c.country) IS DISTINCT FROM c.country
  OR coalesce(excluded.language, c.language) IS DISTINCT FROM c.language
  OR coalesce(excluded.time_zone, c.time_zone) IS DISTINCT FROM c.time_zone
  OR coalesce(excluded.source, c.source) IS DISTINCT FROM c.source
  OR c.attributes || excluded.attributes <> c.attributes;

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
