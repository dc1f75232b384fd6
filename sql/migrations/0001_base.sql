-- Roles, accounts, people, channels and campaigns.
--
-- account_id leads every key; row-level security is forced on every table that has one. A process
-- logs in as its own role and sets its account for the transaction with fan_set_account; without
-- it, it sees nothing.

DO $$
DECLARE role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['fan_gateway', 'fan_ingester', 'fan_scheduler', 'fan_audience',
    'fan_renderer', 'fan_sender',
      'fan_analytics']
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', role);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role);
  END LOOP;
END $$;

-- The transaction belongs to this account. It returns what set_config does, so that it is inlined.
CREATE FUNCTION fan_set_account(account bigint) RETURNS text LANGUAGE sql AS
  $$ SELECT set_config('fan.account', account::text, true) $$;

-- Microseconds since the epoch at which the server took up the current statement. In a pipeline, a
-- statement that stands behind one which waited for a lock sees the time after that wait: so leases
-- are locked in one statement and judged in the next.
CREATE FUNCTION fan_now() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT (extract(epoch FROM statement_timestamp()) * 1000000)::bigint $$;

-- An instant of ours (microseconds; null and 0 give null) as a timestamp, and back. STABLE, as what
-- they are made of: PostgreSQL inlines a function only if it promises no more than its body, and
-- a call that is not inlined costs a row ten times as much.
CREATE FUNCTION fan_time(at bigint) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT timestamptz 'epoch' + nullif(at, 0) * interval '1 microsecond' $$;
CREATE FUNCTION fan_us(at timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT (extract(epoch FROM at) * 1000000)::bigint $$;

-- Force row-level security on a table and let a transaction see its own account's rows.
CREATE FUNCTION fan_tenant(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE
    format('CREATE POLICY own ON %s USING (account_id =
      (SELECT nullif(current_setting(''fan.account'', true), '''')::bigint))',
    target);
END $$;

CREATE SEQUENCE account_id;
CREATE TABLE account (
  account_id bigint NOT NULL DEFAULT nextval('account_id') PRIMARY KEY,
  name text NOT NULL CHECK (name <> ''),
  -- for phones without a country code
  default_country text NOT NULL DEFAULT '' CHECK (default_country ~ '^([A-Z]{2})?$'),
  -- field -> word for a missing value
  fallbacks jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now());

CREATE SEQUENCE app_user_id;
CREATE TABLE app_user (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('app_user_id'),
  email text NOT NULL, name text NOT NULL DEFAULT '', role text NOT NULL DEFAULT 'owner'
    CHECK (role IN ('owner', 'admin', 'manager', 'agent', 'viewer')),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, id), UNIQUE (account_id, email));

CREATE SEQUENCE api_key_id;
CREATE TABLE api_key (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('api_key_id'),
    user_id bigint NOT NULL,
  name text NOT NULL, hash bytea NOT NULL,                       -- BLAKE2b-256 of the whole key
  created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz, revoked_at timestamptz,
    last_used_at timestamptz,
  PRIMARY KEY (account_id, id), UNIQUE (account_id, hash));

-- What a repeated POST with the same Idempotency-Key is answered with.
CREATE TABLE idempotency (
  account_id bigint NOT NULL, key text NOT NULL, request_hash bytea NOT NULL, status int, body text,
  created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (account_id, key));
CREATE INDEX idempotency_age ON idempotency (account_id, created_at);

-- Keys are compared byte by byte, whatever the database's collation: an index is searched with a
-- fraction of the work.
CREATE SEQUENCE contact_id CACHE 1;
CREATE TABLE contact (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('contact_id'),
  external_id text COLLATE "C", phone text COLLATE "C", email text COLLATE "C",
  first_name text, last_name text, company text, country text, language text,
  time_zone text, attributes jsonb NOT NULL DEFAULT '{}', source text,
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, id), UNIQUE (account_id, external_id));
CREATE INDEX contact_phone ON contact (account_id, phone, id);
CREATE INDEX contact_email ON contact (account_id, email, id);

-- Names that contact.attributes may use, declared before they are.
CREATE SEQUENCE attribute_id;
CREATE TABLE attribute (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('attribute_id'),
  name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, id), UNIQUE (account_id, name));

CREATE SEQUENCE tag_id;
CREATE TABLE tag (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('tag_id'),
    name text NOT NULL CHECK (name <> ''),
  created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (account_id, id), UNIQUE (account_id,
    name));
CREATE TABLE contact_tag (
  account_id bigint NOT NULL, tag_id bigint NOT NULL, contact_id bigint NOT NULL,
  PRIMARY KEY (account_id, tag_id, contact_id));
CREATE INDEX contact_tag_contact ON contact_tag (account_id, contact_id);

-- Who must not be written to: on a kind of channel, or (kind 0) on any.
CREATE TABLE suppression (
  account_id bigint NOT NULL, contact_id bigint NOT NULL, kind smallint NOT NULL DEFAULT 0,
    reason text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (account_id, contact_id, kind));

CREATE SEQUENCE channel_id;
CREATE TABLE channel (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('channel_id'),
  kind smallint NOT NULL, provider text NOT NULL, name text NOT NULL CHECK (name <> ''),
  settings jsonb NOT NULL DEFAULT '{}',                          -- plain settings, by field name
  -- secrets: a JSON object each, sealed for its reader
  sealed_sender bytea, sealed_ingester bytea,
  -- which secrets are set; their values are never shown
  secret_names text[] NOT NULL DEFAULT '{}',
  -- messages a second; 0: no limit of ours
  rate float8 NOT NULL DEFAULT 0 CHECK (rate >= 0),
  -- calls at once; 0: the provider's default
  connections int NOT NULL DEFAULT 0 CHECK (connections >= 0),
  enabled boolean NOT NULL DEFAULT true, is_default boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, id), UNIQUE (account_id, name));
-- The channel's send slots (GCRA, microseconds). A row of its own, because it changes with every
-- block of slots.
CREATE TABLE channel_pace (
  account_id bigint NOT NULL, channel_id bigint NOT NULL,
  -- between two messages; 0: no limit. What is configured, or has been learned since
  interval_us bigint NOT NULL,
  configured_us bigint NOT NULL,
  -- when the provider said last that we are too fast; when an interval was learned last
  throttled_at bigint NOT NULL DEFAULT 0, learned_at bigint NOT NULL DEFAULT 0,
  -- how far ahead slots may be reserved
  horizon_us bigint NOT NULL DEFAULT 1000000,
  tat bigint NOT NULL DEFAULT 0,                                 -- when the next free slot begins
  -- the breaker (see words.h): its state, why it opened, how often in a row; open: until when;
  -- half open: which sender tries it, and until when nobody else does
  health smallint NOT NULL DEFAULT 0, health_reason smallint NOT NULL DEFAULT 0,
    health_times int NOT NULL DEFAULT 0,
  health_until bigint NOT NULL DEFAULT 0, prober bigint,
  PRIMARY KEY (account_id, channel_id)) WITH (fillfactor = 20);

CREATE SEQUENCE campaign_id;
CREATE TABLE campaign (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('campaign_id'),
  -- counts within the account, from 1
  display_id bigint NOT NULL,
  name text NOT NULL CHECK (name <> ''), description text, kind smallint NOT NULL,
    channel_id bigint,
  -- the template's parts by name, and "syntax"
  content jsonb NOT NULL,
  -- type, festival and event fields (see the API)
  details jsonb NOT NULL DEFAULT '{}',
  tag_ids bigint[] NOT NULL DEFAULT '{}',                        -- any of; none: every contact
  scheduled_at timestamptz, start_date timestamptz, end_date timestamptz,
  state smallint NOT NULL DEFAULT 0, enabled boolean NOT NULL DEFAULT true,
    archived boolean NOT NULL DEFAULT false,
  at_least_once boolean NOT NULL DEFAULT false, sender_id bigint,
  -- how failed attempts are tried again, and how long an unknown waits; see run
  retry smallint NOT NULL DEFAULT 0, unknown_wait_us bigint,
  -- how soon its messages are served; see words.h
  lane smallint NOT NULL DEFAULT 2 CHECK (lane IN (1, 2)),
  -- how late it may still start by itself; null: as the scheduler's setting says
  late_start_grace_s int CHECK (late_start_grace_s >= 0),
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz, ended_at timestamptz, paused_at timestamptz,
  -- why it does not start although its time has come; a person decides
  hold_reason text,
  PRIMARY KEY (account_id, id), UNIQUE (account_id, display_id));
CREATE INDEX campaign_due ON campaign (scheduled_at) WHERE state = 1 AND hold_reason IS NULL;

-- An upload of contacts: its blocks are rows, taken in one by one, contacts and cursor in one
-- transaction.
CREATE SEQUENCE import_id;
CREATE TABLE import (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('import_id'),
  state smallint NOT NULL DEFAULT 0,                             -- see words.h
  file_name text, source text, default_country text NOT NULL DEFAULT '',
    delimiter text NOT NULL DEFAULT ',',
  -- column names as they stand in the file
  header text[] NOT NULL DEFAULT '{}',
  -- the field each column goes to; '': left out
  mapping text[] NOT NULL DEFAULT '{}',
  tag_ids bigint[] NOT NULL DEFAULT '{}', campaign_id bigint,
  -- the cursor, and how many have been received
  next_block int NOT NULL DEFAULT 0, blocks int NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0, rows bigint NOT NULL DEFAULT 0,
    created bigint NOT NULL DEFAULT 0,
  updated bigint NOT NULL DEFAULT 0, rejected bigint NOT NULL DEFAULT 0,
    warnings bigint NOT NULL DEFAULT 0, reason text,
  created_at timestamptz NOT NULL DEFAULT now(), touched_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
  PRIMARY KEY (account_id, id));
CREATE INDEX import_open ON import (account_id, id) WHERE state IN (0, 1);
CREATE TABLE import_block (
  account_id bigint NOT NULL, import_id bigint NOT NULL, seq int NOT NULL,
    first_line bigint NOT NULL, body bytea NOT NULL,
  PRIMARY KEY (account_id, import_id, seq));
ALTER TABLE import_block ALTER body SET COMPRESSION lz4;
CREATE TABLE import_error (
  account_id bigint NOT NULL, import_id bigint NOT NULL, line bigint NOT NULL, field text NOT NULL,
    reason text NOT NULL,
  -- the row as it stood in the file, for the download
  warning boolean NOT NULL DEFAULT false, record text,
  PRIMARY KEY (account_id, import_id, line, field));

SELECT fan_tenant(t) FROM unnest(ARRAY['account', 'app_user', 'api_key', 'idempotency', 'contact',
  'attribute', 'tag',
  'contact_tag', 'suppression', 'channel', 'channel_pace', 'campaign', 'import', 'import_block',
    'import_error']::regclass[]) t;

-- Who may do what. The gateway never reads sealed secrets back; renderers never see channels.
GRANT SELECT ON account TO fan_gateway, fan_audience, fan_renderer, fan_scheduler;
GRANT SELECT, INSERT, UPDATE ON app_user, idempotency, contact, attribute, tag, campaign,
  import TO fan_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_tag, suppression, import_block,
  import_error TO fan_gateway;
GRANT DELETE ON contact, campaign, idempotency TO fan_gateway;
GRANT SELECT, INSERT, UPDATE ON api_key TO fan_gateway;
GRANT INSERT, DELETE, SELECT (account_id, id, kind, provider, name, settings, secret_names, rate,
  connections, enabled, is_default,
  created_at, updated_at) ON channel TO fan_gateway;
GRANT UPDATE ON channel TO fan_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON channel_pace TO fan_gateway;
GRANT SELECT (account_id, id, kind, provider, name, settings, rate, connections, enabled,
  sealed_sender), UPDATE (enabled) ON channel
  TO fan_sender;
GRANT SELECT (account_id, id, kind, provider, name, settings, enabled,
  sealed_ingester) ON channel TO fan_ingester;
GRANT SELECT (account_id, id, kind, provider, rate, enabled,
  is_default) ON channel TO fan_audience, fan_scheduler, fan_renderer;
GRANT SELECT (name) ON channel TO fan_renderer;
-- how long its provider remembers keys; secrets stand elsewhere
GRANT SELECT (settings) ON channel TO fan_scheduler;
GRANT SELECT (account_id, id, name, details) ON campaign TO fan_renderer;
GRANT SELECT, UPDATE ON channel_pace TO fan_sender;
GRANT SELECT ON campaign, suppression, contact_tag TO fan_audience;
GRANT SELECT, UPDATE, INSERT ON campaign TO fan_scheduler;
GRANT SELECT, INSERT, UPDATE ON contact, attribute, tag, contact_tag TO fan_audience;
GRANT SELECT ON contact, suppression, attribute TO fan_renderer;
GRANT SELECT, INSERT ON suppression TO fan_sender, fan_ingester;
GRANT SELECT ON contact TO fan_ingester;
GRANT SELECT (account_id, id) ON contact TO fan_scheduler;
GRANT SELECT, UPDATE ON import TO fan_audience, fan_scheduler;
GRANT SELECT, DELETE ON import_block TO fan_audience;
GRANT SELECT, INSERT ON import_error TO fan_audience;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO fan_gateway, fan_audience, fan_scheduler;

-- The scheduler looks across accounts, at what is due and nothing else.
CREATE POLICY due ON campaign FOR SELECT TO fan_scheduler USING (true);
CREATE POLICY due ON import FOR SELECT TO fan_scheduler USING (true);
CREATE POLICY due ON account FOR SELECT TO fan_scheduler USING (true);
