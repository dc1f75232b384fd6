-- Imports: an upload is cut into blocks, which the audience process takes in one after the other.

-- name: import_insert
-- role: fan_gateway
-- (account, file name, source, default country, delimiter, header, mapping, tags, campaign)
INSERT INTO import (account_id, file_name, source, default_country, delimiter, header, mapping,
  tag_ids, campaign_id)
VALUES ($1, $2::text, $3::text, $4::text, $5::text, $6::text[], $7::text[], $8::bigint[],
  $9::bigint) RETURNING id;

-- name: import_block_insert
-- role: fan_gateway
-- (account, import, place, first line, body)
INSERT INTO import_block (account_id, import_id, seq, first_line, body)
VALUES ($1, $2::bigint, $3::int, $4::bigint, $5::bytea);

-- name: import_received
-- role: fan_gateway
-- Note what was received; with the last block it may run to its end. No row: it ended meanwhile.
-- (account, import, blocks, bytes, whether that was all)
UPDATE import SET blocks = $3::int, bytes = $4::bigint, touched_at = statement_timestamp(),
  state = CASE WHEN $5::boolean THEN 1 ELSE 0 END
WHERE account_id = $1 AND id = $2::bigint AND state = 0 RETURNING id;

-- name: import_failed
-- role: fan_gateway, fan_audience
-- (account, import, reason)
UPDATE import SET state = 3, reason = $3::text, touched_at = statement_timestamp(),
  ended_at = statement_timestamp()
WHERE account_id = $1 AND id = $2::bigint AND state IN (0, 1) RETURNING id;

-- name: import_blocks_drop
-- role: fan_gateway, fan_audience
-- Forget blocks that will not be taken in. (account, import)
DELETE FROM import_block WHERE account_id = $1 AND import_id = $2::bigint;

-- name: import_abandoned
-- role: fan_scheduler
-- Uploads of which nothing has come for so many microseconds and nothing is left to take in, of
-- every account: the gateway that received them is gone. (microseconds, limit)
SELECT account_id, id FROM import WHERE state = 0 AND next_block = blocks
  AND touched_at < fan_time(fan_now() - $1::bigint) ORDER BY account_id, id LIMIT $2::bigint;

-- name: import_get
-- role: fan_gateway
-- (account, import)
SELECT id, state, file_name, source, default_country, delimiter, header, mapping, campaign_id,
  blocks, next_block, bytes, rows, created, updated, rejected, warnings, reason, created_at,
  touched_at, ended_at,
  ARRAY(SELECT t.name FROM tag t WHERE t.account_id = $1 AND t.id = ANY (i.tag_ids) ORDER BY t.name)
FROM import i WHERE i.account_id = $1 AND i.id = $2::bigint;

-- name: import_page
-- role: fan_gateway
-- Newest first. (account, limit, offset)
SELECT id, state, file_name, source, default_country, delimiter, header, mapping, campaign_id,
  blocks, next_block, bytes, rows, created, updated, rejected, warnings, reason, created_at,
  touched_at, ended_at,
  ARRAY(SELECT t.name FROM tag t WHERE t.account_id = $1 AND t.id = ANY (i.tag_ids) ORDER BY t.name)
FROM import i WHERE i.account_id = $1 ORDER BY i.id DESC LIMIT $2::bigint OFFSET $3::bigint;

-- name: import_count
-- role: fan_gateway
SELECT count(*) FROM import WHERE account_id = $1;

-- name: import_errors
-- role: fan_gateway
-- In the order of the file, behind a place. (account, import, line, field, limit)
SELECT line, field, reason, warning, record FROM import_error
WHERE account_id = $1 AND import_id = $2::bigint AND (line, field) > ($3::bigint, $4::text)
ORDER BY line, field LIMIT $5::bigint;
