-- Templates: a message under a name, kept in versions that never change.

CREATE SEQUENCE template_id;
CREATE TABLE template (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('template_id'),
  name text NOT NULL CHECK (name <> ''), kind smallint NOT NULL, description text,
  category text, tags text[] NOT NULL DEFAULT '{}',
  archived boolean NOT NULL DEFAULT false,
  latest int NOT NULL DEFAULT 1,                                 -- its newest version
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, id), UNIQUE (account_id, name));

-- Nobody may change or delete one: what was sent by it can always be read.
CREATE TABLE template_version (
  account_id bigint NOT NULL, template_id bigint NOT NULL, number int NOT NULL CHECK (number > 0),
  -- as in campaign.content
  content jsonb NOT NULL,
  note text, author_id bigint, created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, template_id, number));
ALTER TABLE template_version ALTER content SET COMPRESSION lz4;

-- A campaign with a template has no content of its own: it is taken when the run begins.
ALTER TABLE campaign ADD template_id bigint,
  -- null: whichever is the newest when it is launched
  ADD template_version int;
ALTER TABLE run ADD template_id bigint, ADD template_version int;

-- A campaign may have its message in several variants. Each recipient gets one by a hash of him and
-- the campaign, and a chunk's people all have the same: its counters are the variant's.
-- null: no variants
ALTER TABLE run ADD weights smallint[];
-- from 1
ALTER TABLE chunk ADD variant smallint;

SELECT fan_tenant(t) FROM unnest(ARRAY['template', 'template_version']::regclass[]) t;
GRANT SELECT, INSERT, UPDATE ON template TO fan_gateway;
GRANT SELECT, INSERT ON template_version TO fan_gateway;
GRANT SELECT ON template, template_version TO fan_scheduler;
GRANT USAGE ON SEQUENCE template_id TO fan_gateway;
