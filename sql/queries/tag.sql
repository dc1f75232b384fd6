-- Tags, and who has them.

-- name: tag_ensure
-- role: fan_gateway, fan_audience
-- (account, names)
INSERT INTO tag (account_id, name) SELECT DISTINCT $1::bigint, n FROM unnest($2::text[]) n
ON CONFLICT (account_id, name) DO NOTHING;

-- name: tag_find
-- role: fan_gateway, fan_audience
-- Ids in the order of the names, null where there is no such tag. (account, names)
SELECT t.id FROM unnest($2::text[]) WITH ORDINALITY u(name, place)
LEFT JOIN tag t ON t.account_id = $1 AND t.name = u.name ORDER BY u.place;

-- name: tag_give
-- role: fan_gateway
-- (account, contact, tags)
INSERT INTO contact_tag (account_id, tag_id, contact_id) SELECT $1, t, $2::bigint
FROM unnest($3::bigint[]) t ON CONFLICT (account_id, tag_id, contact_id) DO NOTHING;
