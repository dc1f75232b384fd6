-- Runs, chunks, messages, receipts and the event log. See docs/lifecycle.md for who moves what.
--
-- Primary keys are made after the other indexes: between indexes that it believes equally good, as
-- it does of all that begin with the account while a table is empty, the planner takes the
-- youngest.

CREATE TABLE ctl (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  -- the kill switch, and why it is off
  send_enabled boolean NOT NULL DEFAULT true, stop_reason text,
  -- why a person must confirm this database before it sends; who did is noted until the scheduler
  -- has taken it for the right one
  hold_reason text, confirmed boolean NOT NULL DEFAULT false,
  changed_at timestamptz NOT NULL DEFAULT now(), changed_by text NOT NULL DEFAULT '');
INSERT INTO ctl DEFAULT VALUES;
GRANT SELECT ON ctl TO fan_gateway, fan_scheduler, fan_sender, fan_audience, fan_renderer;
GRANT UPDATE ON ctl TO fan_gateway;

-- What this database was when a person, or the first start, took it for the right one. A copy of it
-- differs in something, and is held. No row: it was never used.
CREATE TABLE site (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  id text NOT NULL DEFAULT gen_random_uuid()::text,
  system bigint NOT NULL, timeline bigint NOT NULL, database bigint NOT NULL,
    tables bigint NOT NULL,
  -- null: not to be known here
  files_at bigint, machine text, confirmed_at timestamptz NOT NULL DEFAULT now());

-- When the cluster's PG_VERSION came to be where it is: nothing writes to it, and no copy keeps
-- that time. Null for who may not look.
CREATE FUNCTION fan_site_files() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  RETURN fan_us((pg_stat_file('PG_VERSION')).change);
EXCEPTION WHEN insufficient_privilege OR undefined_file THEN RETURN NULL;
END $$;

CREATE SEQUENCE run_id;
CREATE TABLE run (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('run_id'),
    campaign_id bigint NOT NULL,
  -- 'once', an instant, or the caller's key: a double trigger meets it
  occurrence text NOT NULL,
  state smallint NOT NULL DEFAULT 0,
  kind smallint NOT NULL, channel_id bigint NOT NULL, lane smallint NOT NULL DEFAULT 2,
  -- the campaign's, as it stood when the run began
  content jsonb NOT NULL,
  at_least_once boolean NOT NULL DEFAULT false,
  -- how long an unknown waits for evidence before the policy decides; null: as the scheduler is set
  unknown_wait_us bigint,
  -- for so long after a chunk's first opening its messages may be sent again, because its provider
  -- drops a repeated idempotency key (0.8 of that key's life); 0: it has none
  key_us bigint NOT NULL DEFAULT 0,
  -- how failed attempts are tried again (see words.h); 0: as its kind of channel does
  retry smallint NOT NULL DEFAULT 0,
  -- the audience: any of the tags, or exactly these people
  tag_ids bigint[] NOT NULL DEFAULT '{}', contact_ids bigint[],
  -- no more than the channel sends in ten seconds
  chunk_size smallint NOT NULL DEFAULT 500,
  -- the last contact (or place in contact_ids) that was written
  cursor bigint NOT NULL DEFAULT 0,
  -- the last contact that belongs to it, fixed at the start
  boundary bigint NOT NULL DEFAULT 0,
  resolved boolean NOT NULL DEFAULT false,                       -- the audience is complete
  due_at bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(), started_at timestamptz, ended_at timestamptz,
  UNIQUE (account_id, campaign_id, occurrence));
-- a cancelled run lives on until nothing of it is open
CREATE INDEX run_live ON run (account_id, id) WHERE ended_at IS NULL;
ALTER TABLE run ADD PRIMARY KEY (account_id, id);

CREATE SEQUENCE chunk_id;
CREATE TABLE chunk (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('chunk_id'),
    run_id bigint NOT NULL, channel_id bigint NOT NULL,
  -- the claim: a sender's incarnation, and until when (microseconds)
  owner bigint, lease_until bigint,
  due_at bigint NOT NULL DEFAULT 0,                              -- never sent before
  -- of home messages: when the earliest retry is due, since when the eldest unknown is one
  retry_due bigint, unknown_since bigint,
  -- when its first slice was opened: no message of it was sent before
  opened_at bigint,
  -- the fence: +1 at a claim and at every end of a claim
  epoch int NOT NULL DEFAULT 0,
  state smallint NOT NULL DEFAULT 0, lane smallint NOT NULL DEFAULT 2,
    is_retry boolean NOT NULL DEFAULT false,
  size smallint NOT NULL CHECK (size BETWEEN 1 AND 500), watermark smallint NOT NULL DEFAULT 0,
  -- counters of the messages whose home is this chunk (message.id >> 9); a retry chunk is nobody's
  -- home
  n_pending smallint NOT NULL DEFAULT 0, n_retry smallint NOT NULL DEFAULT 0,
    n_unknown smallint NOT NULL DEFAULT 0,
  n_sent smallint NOT NULL DEFAULT 0, n_failed smallint NOT NULL DEFAULT 0,
    n_skipped smallint NOT NULL DEFAULT 0,
  n_cancelled smallint NOT NULL DEFAULT 0, n_unknown_final smallint NOT NULL DEFAULT 0,
    n_expired smallint NOT NULL DEFAULT 0,
  n_undelivered smallint NOT NULL DEFAULT 0, n_delivered smallint NOT NULL DEFAULT 0,
    n_read smallint NOT NULL DEFAULT 0,
  n_opened smallint NOT NULL DEFAULT 0, n_clicked smallint NOT NULL DEFAULT 0,
    n_replied smallint NOT NULL DEFAULT 0,
  n_complained smallint NOT NULL DEFAULT 0, n_unsubscribed smallint NOT NULL DEFAULT 0,
  -- a first attempt's people by position
  contacts bigint[],
  -- a retry chunk's message ids by position
  items bigint[],
  created_at timestamptz NOT NULL DEFAULT now()) WITH (fillfactor = 40);
-- a watermark move must not rewrite them
ALTER TABLE chunk ALTER contacts SET STORAGE EXTERNAL, ALTER items SET STORAGE EXTERNAL;
CREATE INDEX chunk_run ON chunk (account_id, run_id, id);
CREATE INDEX chunk_open ON chunk (account_id, run_id, state, lane, due_at, id) WHERE state < 3;
CREATE INDEX chunk_retry ON chunk (account_id, run_id) WHERE retry_due IS NOT NULL;
CREATE INDEX chunk_unknown ON chunk (account_id, run_id) WHERE unknown_since IS NOT NULL;
CREATE INDEX chunk_dead ON chunk (account_id, id) WHERE n_failed > 0 OR n_unknown_final > 0;
ALTER TABLE chunk ADD PRIMARY KEY (account_id, id);

-- Renderers that died while they wrote the copy of a planned chunk's position, whose message is not
-- there yet. Gone with the chunk's rendering.
CREATE TABLE render_crash (
  account_id bigint NOT NULL, chunk_id bigint NOT NULL, position smallint NOT NULL,
  renderer bigint NOT NULL, at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, chunk_id, renderer));

-- id = home chunk * 512 + position: one key for insert, close, callback and counters. Partitioned
-- by ranges of id; the scheduler creates partitions ahead. No index may hold state, and pages are
-- filled so that all their messages can grow by a provider's id: closes and callbacks stay HOT (of
-- a hundred closes, 16 did not with pages half full).
CREATE TABLE message (
  account_id bigint NOT NULL, id bigint NOT NULL, contact_id bigint NOT NULL,
  -- the retry chunk that answers for it now; null: its home chunk
  work bigint,
  -- retry: when it is tried again; unknown, failed, unknown_final: since when it is (microseconds)
  due bigint,
  sent_at timestamptz, delivered_at timestamptz, read_at timestamptz,
  -- unknown: the epoch under which it was opened
  lost_epoch int,
  -- state | progress<<8 | flags<<16 before the last update, for RETURNING
  was int NOT NULL DEFAULT 0,
  state smallint NOT NULL DEFAULT 0, progress smallint NOT NULL DEFAULT 0,
    flags smallint NOT NULL DEFAULT 0,
  -- tries before the one that is pending or was last; how many of them cost none, and how many
  -- lie before somebody had it tried anew, when both begin again
  attempt smallint NOT NULL DEFAULT 0, free_tries smallint NOT NULL DEFAULT 0,
    forgiven smallint NOT NULL DEFAULT 0,
    outcome smallint NOT NULL DEFAULT 0,
    reason smallint NOT NULL DEFAULT 0,
  -- senders that died while they wrote its request
  crashes smallint NOT NULL DEFAULT 0,
  format smallint NOT NULL DEFAULT 1,
  -- body null: it is longer than 4 KiB and stands in message_body
  address text, body text,
  code text, provider_id text) PARTITION BY RANGE (id);
CREATE INDEX message_contact ON message (account_id, contact_id, id);
ALTER TABLE message ADD PRIMARY KEY (account_id, id);
CREATE TABLE message_body (
  account_id bigint NOT NULL, id bigint NOT NULL, body text NOT NULL, PRIMARY KEY (account_id,
    id)) PARTITION BY RANGE (id);
ALTER TABLE message_body ALTER body SET COMPRESSION lz4;

-- A later attempt at a message; the first one lives on the message itself.
CREATE TABLE attempt (
  account_id bigint NOT NULL, message_id bigint NOT NULL, number smallint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
  outcome smallint NOT NULL, code text, provider_id text, PRIMARY KEY (account_id, message_id,
    number));

-- Messages of live runs that died: processes died of them, or they used up their tries. Too many
-- of them pause their run; who resumes it forgives them.
CREATE TABLE death (
  account_id bigint NOT NULL, run_id bigint NOT NULL, message_id bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT statement_timestamp(),
  PRIMARY KEY (account_id, run_id, message_id));

-- Partition number n holds 2^26 ids: the messages of 131,072 chunks.
CREATE FUNCTION fan_message_partition(n bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF to_regclass(format('message_p%s', n)) IS NOT NULL THEN RETURN; END IF;
  EXECUTE
    format('CREATE TABLE message_p%s PARTITION OF message FOR VALUES FROM (%s) TO (%s)
      WITH (fillfactor = 42,
    autovacuum_vacuum_insert_scale_factor = 0.5)', n, n << 26, (n + 1) << 26);
  EXECUTE
    format('CREATE TABLE message_body_p%s PARTITION OF message_body FOR VALUES FROM (%s) TO (%s)',
    n, n << 26, (n + 1) << 26);
  PERFORM fan_tenant(format('message_p%s', n)::regclass);
  PERFORM fan_tenant(format('message_body_p%s', n)::regclass);
END $$;
SELECT fan_message_partition(0), fan_message_partition(1);

-- Statements are planned once and plans are kept, so a table that has grown by far since it was
-- last looked at is looked at again, long before autovacuum would: the statistics make every
-- connection plan anew. One table at a time, the least grown first. Returns it, or null.
CREATE FUNCTION fan_analyze_grown() RETURNS text LANGUAGE plpgsql AS $$
DECLARE grown regclass;
BEGIN
  SELECT s.relid INTO grown FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
  WHERE c.relkind = 'r' AND s.n_live_tup > 500 + 3 * greatest(c.reltuples, 0)
  ORDER BY s.n_live_tup LIMIT 1;
  IF grown IS NOT NULL THEN
    PERFORM set_config('default_statistics_target', '10', true); -- 3,000 rows tell enough
    EXECUTE format('ANALYZE %s', grown);
  END IF;
  RETURN grown;
END $$;

-- Providers' events that were applied, so that a repetition is seen. Partitioned by the event's own
-- day.
CREATE TABLE provider_event (
  account_id bigint NOT NULL, channel_id bigint NOT NULL, key bytea NOT NULL, day date NOT NULL,
  PRIMARY KEY (account_id, channel_id, key, day)) PARTITION BY RANGE (day);
CREATE TABLE provider_event_other PARTITION OF provider_event DEFAULT;

-- Facts of ours: one row a batch, written in the transaction that made them true. Readers page by
-- (xid, id) below the oldest running transaction, so that a late commit is never skipped. body is
-- the msgpack body of the frame that is published.
CREATE SEQUENCE event_id CACHE 16;
CREATE TABLE event (
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('event_id'), type int NOT NULL,
  at timestamptz NOT NULL DEFAULT now(), run_id bigint, chunk_id bigint,
  xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text)::bigint, body bytea NOT NULL);
CREATE INDEX event_order ON event (xid, id);
CREATE INDEX event_account ON event (account_id, xid, id);
ALTER TABLE event ADD PRIMARY KEY (account_id, id);

-- Roll-ups of the event log per minute and campaign, and how far they have read.
CREATE TABLE stat_minute (
  account_id bigint NOT NULL, campaign_id bigint NOT NULL, run_id bigint NOT NULL,
    minute timestamptz NOT NULL,
  planned int NOT NULL DEFAULT 0, sent int NOT NULL DEFAULT 0, failed int NOT NULL DEFAULT 0,
    retry int NOT NULL DEFAULT 0,
  unknown int NOT NULL DEFAULT 0, skipped int NOT NULL DEFAULT 0,
    cancelled int NOT NULL DEFAULT 0, delivered int NOT NULL DEFAULT 0,
    read int NOT NULL DEFAULT 0,
  undelivered int NOT NULL DEFAULT 0, flagged int NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, campaign_id, run_id, minute));
CREATE TABLE event_cursor (reader text PRIMARY KEY, xid bigint NOT NULL DEFAULT 0,
  id bigint NOT NULL DEFAULT 0);
INSERT INTO event_cursor (reader) VALUES ('analytics');

SELECT fan_tenant(t) FROM unnest(ARRAY['run', 'chunk', 'render_crash', 'message', 'message_body',
  'attempt', 'death',
  'provider_event', 'event', 'stat_minute']::regclass[]) t;

GRANT SELECT, INSERT, UPDATE ON run, chunk TO fan_scheduler, fan_gateway;
GRANT SELECT, INSERT, UPDATE ON message TO fan_scheduler;
GRANT SELECT ON message, message_body, attempt, stat_minute, event TO fan_gateway;
GRANT UPDATE (state, was, due, reason, lost_epoch, free_tries, forgiven, crashes) ON message
  TO fan_gateway;
GRANT SELECT, UPDATE ON run TO fan_audience;
GRANT SELECT, INSERT ON chunk, message TO fan_audience;
GRANT SELECT ON run TO fan_renderer, fan_sender, fan_ingester, fan_analytics;
GRANT SELECT, UPDATE ON chunk TO fan_renderer, fan_sender, fan_ingester;
GRANT INSERT ON message, message_body TO fan_renderer;
GRANT SELECT, INSERT, DELETE ON render_crash TO fan_renderer;
GRANT SELECT, UPDATE ON message TO fan_sender, fan_ingester;
GRANT SELECT ON message_body TO fan_sender;
GRANT SELECT, INSERT ON attempt TO fan_sender;
GRANT SELECT, INSERT, UPDATE ON death TO fan_sender;
GRANT INSERT ON death TO fan_renderer;
GRANT SELECT, DELETE ON death TO fan_gateway, fan_scheduler;
GRANT SELECT, INSERT ON provider_event TO fan_ingester;
GRANT INSERT ON event TO fan_gateway, fan_scheduler, fan_audience, fan_renderer, fan_sender,
  fan_ingester;
GRANT SELECT ON event TO fan_analytics;
GRANT DELETE, SELECT ON event TO fan_scheduler;
GRANT SELECT, INSERT, UPDATE ON stat_minute TO fan_analytics;
GRANT SELECT, UPDATE ON event_cursor TO fan_analytics;
GRANT USAGE ON SEQUENCE run_id, chunk_id, event_id TO fan_gateway, fan_scheduler;
GRANT USAGE ON SEQUENCE chunk_id, event_id TO fan_audience;
GRANT USAGE ON SEQUENCE event_id TO fan_renderer, fan_sender, fan_ingester;

CREATE POLICY due ON run FOR SELECT TO fan_scheduler, fan_analytics USING (true);
CREATE POLICY due ON chunk FOR SELECT TO fan_scheduler USING (true);
CREATE POLICY log ON event FOR SELECT TO fan_analytics, fan_scheduler USING (true);
CREATE POLICY old ON event FOR DELETE TO fan_scheduler USING (true);
CREATE POLICY due ON death FOR SELECT TO fan_scheduler USING (true);
CREATE POLICY old ON death FOR DELETE TO fan_scheduler USING (true);
CREATE POLICY roll_up ON stat_minute TO fan_analytics USING (true) WITH CHECK (true);
