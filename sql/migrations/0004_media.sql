-- Pictures, sounds and documents: what there is of them. Their bytes are in the media store, under
-- their hash.

CREATE SEQUENCE media_id;
CREATE TABLE media (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('media_id'),
  hash bytea NOT NULL CHECK (length(hash) = 32),                 -- SHA-256 of the bytes
  type text NOT NULL,                                            -- image/png
  bytes bigint NOT NULL CHECK (bytes > 0),
  width int, height int,                                         -- of a picture
  name text NOT NULL,
  -- 0 arriving, 1 ready, 2 being removed: the row is there before the object and after it
  state smallint NOT NULL DEFAULT 0,
  created_by bigint, created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, id), UNIQUE (account_id, hash));

SELECT fan_tenant('media');
GRANT SELECT, INSERT, UPDATE, DELETE ON media TO fan_gateway;
GRANT USAGE ON SEQUENCE media_id TO fan_gateway;
