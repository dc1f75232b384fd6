-- A campaign's audience looked at before it is launched, all of it or evenly spread parts. Why
-- somebody would be skipped is said as run_page_all and run_page_tagged say it. The ends of ranges
-- are computed apart: in a condition, row-level security would keep them from the index.

-- name: check_everybody
-- role: fan_gateway
-- People and why each is skipped (0: he is not), out of so many equal ranges of ids so many each.
-- (account, kind, people a range, ranges)
WITH b AS MATERIALIZED (
  SELECT coalesce((SELECT id FROM contact WHERE account_id = $1 ORDER BY id LIMIT 1), 0) AS lo,
    coalesce((SELECT id FROM contact WHERE account_id = $1 ORDER BY id DESC LIMIT 1), 0) + 1 AS hi),
r AS MATERIALIZED (
  SELECT b.lo + (b.hi - b.lo) * i / $4 AS lo, b.lo + (b.hi - b.lo) * (i + 1) / $4 AS hi
  FROM b, generate_series(0, $4::bigint - 1) i),
p AS MATERIALIZED (
  SELECT x.*, CASE WHEN $2::smallint = 3 THEN x.email ELSE x.phone END AS address
  FROM r CROSS JOIN LATERAL (
    SELECT id, external_id, phone, email, first_name, last_name, company, country, language,
      time_zone, attributes::text AS attributes
    FROM contact WHERE account_id = $1 AND id >= r.lo AND id < r.hi ORDER BY id LIMIT $3::bigint) x)
SELECT c.id, c.external_id, c.phone, c.email, c.first_name, c.last_name, c.company, c.country,
  c.language, c.time_zone, c.attributes,
  CASE WHEN c.address IS NULL THEN 1
    WHEN EXISTS (SELECT FROM suppression s WHERE s.account_id = $1 AND s.contact_id = c.id
      AND s.kind IN (0, $2)) THEN 2
    WHEN CASE WHEN $2 = 3
      THEN EXISTS (SELECT FROM contact d WHERE d.account_id = $1 AND d.email = c.address
        AND d.id < c.id)
      ELSE EXISTS (SELECT FROM contact d WHERE d.account_id = $1 AND d.phone = c.address
        AND d.id < c.id) END THEN 3
    ELSE 0 END
FROM p c ORDER BY c.id;

-- name: check_tagged
-- role: fan_gateway
-- The same of people with any of some tags. (For their ranges see run_page_tagged.)
-- (account, kind, people a range, ranges, tags)
WITH b AS MATERIALIZED (
  SELECT coalesce(min(x.lo), 0) AS lo, coalesce(max(x.hi), 0) + 1 AS hi
  FROM unnest($5::bigint[]) t(tag_id) CROSS JOIN LATERAL (
    SELECT (SELECT ct.contact_id FROM contact_tag ct WHERE ct.account_id = $1
        AND (ct.tag_id, ct.contact_id) >= (t.tag_id, 0)
        AND (ct.tag_id, ct.contact_id) <= (t.tag_id, 9223372036854775807)
        ORDER BY ct.tag_id, ct.contact_id LIMIT 1),
      (SELECT ct.contact_id FROM contact_tag ct WHERE ct.account_id = $1
        AND (ct.tag_id, ct.contact_id) >= (t.tag_id, 0)
        AND (ct.tag_id, ct.contact_id) <= (t.tag_id, 9223372036854775807)
        ORDER BY ct.tag_id DESC, ct.contact_id DESC LIMIT 1)) x(lo, hi)),
r AS MATERIALIZED (
  SELECT b.lo + (b.hi - b.lo) * i / $4 AS lo, b.lo + (b.hi - b.lo) * (i + 1) / $4 AS hi
  FROM b, generate_series(0, $4::bigint - 1) i),
u AS MATERIALIZED (
  SELECT x.contact_id FROM r CROSS JOIN LATERAL (
    SELECT DISTINCT y.contact_id FROM unnest($5::bigint[]) t(tag_id) CROSS JOIN LATERAL (
      SELECT ct.contact_id FROM contact_tag ct WHERE ct.account_id = $1
        AND (ct.tag_id, ct.contact_id) >= (t.tag_id, r.lo)
        AND (ct.tag_id, ct.contact_id) < (t.tag_id, r.hi)
      ORDER BY ct.tag_id, ct.contact_id LIMIT $3::bigint) y
    ORDER BY y.contact_id LIMIT $3) x),
p AS MATERIALIZED (
  SELECT x.*, CASE WHEN $2::smallint = 3 THEN x.email ELSE x.phone END AS address
  FROM u CROSS JOIN LATERAL (
    SELECT id, external_id, phone, email, first_name, last_name, company, country, language,
      time_zone, attributes::text AS attributes
    FROM contact WHERE account_id = $1 AND id = u.contact_id OFFSET 0) x)
SELECT c.id, c.external_id, c.phone, c.email, c.first_name, c.last_name, c.company, c.country,
  c.language, c.time_zone, c.attributes,
  CASE WHEN c.address IS NULL THEN 1
    WHEN EXISTS (SELECT FROM suppression s WHERE s.account_id = $1 AND s.contact_id = c.id
      AND s.kind IN (0, $2)) THEN 2
    WHEN CASE WHEN $2 = 3
      THEN EXISTS (SELECT FROM contact d JOIN contact_tag dt ON dt.account_id = $1
          AND dt.contact_id = d.id AND dt.tag_id = ANY ($5)
        WHERE d.account_id = $1 AND d.email = c.address AND d.id < c.id)
      ELSE EXISTS (SELECT FROM contact d JOIN contact_tag dt ON dt.account_id = $1
          AND dt.contact_id = d.id AND dt.tag_id = ANY ($5)
        WHERE d.account_id = $1 AND d.phone = c.address AND d.id < c.id) END THEN 3
    ELSE 0 END
FROM p c ORDER BY c.id;
