-- What the owner of the tables does now and then.

-- name: upkeep_analyze
-- role: fan_owner
-- Look anew at a table that has grown by far; null: there is none.
SELECT fan_analyze_grown();
