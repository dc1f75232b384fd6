-- What waits across accounts, for the scheduler.

-- name: waiting_imports
-- role: fan_scheduler
-- Imports with blocks to take in that nobody touched for so many microseconds, of every account.
-- (microseconds, limit)
SELECT account_id, id FROM import WHERE state IN (0, 1)
  AND (next_block < blocks OR state = 1)
    AND touched_at < statement_timestamp() - $1::bigint * interval '1 microsecond'
ORDER BY account_id, id LIMIT $2;
