-- Telling callers: who wants to hear of what, what there is to tell, and each telling of it; and when an account's credits
-- run low. Times are milliseconds since the epoch, amounts millionths of a credit.

-- Where events are sent. `account_id` is empty for an endpoint of the operator that hears of every account, and no reference:
-- the policy may name an account that is opened later. `events` is a JSON list, the same that `subscription` holds with its
-- history. `version` counts the secrets there were; the one before still signs until `previous_until`. `failures` counts
-- failed attempts in a row, `failed` is when the last one counted ended. `why` is who disabled it: the owner, too many
-- failures, or the receiver itself, which answered that it is gone. `draining` is set while what was queued is being sent.
CREATE TABLE endpoint (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('config', 'api')),
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version >= 1),
  previous_until INTEGER,
  state TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
  why TEXT CHECK (why IN ('owner', 'failures', 'gone')),
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  failed INTEGER,
  draining INTEGER NOT NULL DEFAULT 0 CHECK (draining IN (0, 1)),
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  deleted INTEGER,
  CHECK (account_id <> '' OR source = 'config'),
  CHECK ((state = 'disabled') = (why IS NOT NULL)),
  CHECK (draining = 0 OR (state = 'active' AND deleted IS NULL))
) STRICT;

CREATE INDEX endpoint_account ON endpoint (account_id, created, id) WHERE deleted IS NULL;
CREATE INDEX endpoint_source ON endpoint (source, id) WHERE deleted IS NULL;
CREATE INDEX endpoint_draining ON endpoint (id) WHERE draining = 1;

-- Who heard of what, and when: from after the step `since` up to the step `until` of the table `transition`. Steps and not
-- times, because their order is the order of the commits. Rows are closed, never removed.
CREATE TABLE subscription (
  seq INTEGER PRIMARY KEY,
  endpoint TEXT NOT NULL REFERENCES endpoint (id),
  account_id TEXT NOT NULL,
  type TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,
  CHECK (until IS NULL OR until >= since)
) STRICT;

CREATE UNIQUE INDEX subscription_open ON subscription (type, account_id, endpoint) WHERE until IS NULL;
CREATE INDEX subscription_endpoint ON subscription (endpoint) WHERE until IS NULL;

-- What there is to tell, written in the transaction that caused it, if anybody wanted to hear of it. `data` is JSON: what
-- holds at that moment and may be another thing later; the rest is read from the generation when it is told.
CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account_id TEXT NOT NULL,
  generation INTEGER REFERENCES generation (seq),
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  at INTEGER NOT NULL,
  UNIQUE (generation, type)
) STRICT;

CREATE TRIGGER event_unchanged BEFORE UPDATE ON event
BEGIN
  SELECT RAISE(ABORT, 'events are never changed');
END;

CREATE TRIGGER event_kept BEFORE DELETE ON event
BEGIN
  SELECT RAISE(ABORT, 'events are never removed');
END;

-- One telling of an event to an endpoint. `next_at` is when a pending one is due. Queued ones wait for a disabled endpoint to
-- be enabled, for as long as the policy says. `status` and `error` are of the last attempt. `replay_of` is the delivery that
-- this one repeats by hand.
CREATE TABLE delivery (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  endpoint TEXT NOT NULL REFERENCES endpoint (id),
  event INTEGER NOT NULL REFERENCES event (seq),
  replay_of TEXT,
  state TEXT NOT NULL CHECK (state IN ('pending', 'queued', 'delivered', 'failed', 'expired')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at INTEGER,
  status INTEGER,
  error TEXT,
  created INTEGER NOT NULL,
  attempted INTEGER,
  ended INTEGER,
  CHECK ((state = 'pending') = (next_at IS NOT NULL)),
  CHECK ((state IN ('delivered', 'failed', 'expired')) = (ended IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX delivery_once ON delivery (endpoint, event) WHERE replay_of IS NULL;
CREATE INDEX delivery_due ON delivery (endpoint, next_at, seq) WHERE state = 'pending';
CREATE INDEX delivery_next ON delivery (next_at) WHERE state = 'pending';
CREATE INDEX delivery_queued ON delivery (endpoint, seq) WHERE state = 'queued';
CREATE INDEX delivery_stale ON delivery (created) WHERE state = 'queued';
CREATE INDEX delivery_endpoint ON delivery (endpoint, seq);
CREATE INDEX delivery_event ON delivery (event);

-- Below which balance an account's owner is told, once: `fired` is when it was, until credits bring the balance back to it.
CREATE TABLE alert (
  account_id TEXT NOT NULL REFERENCES account (id),
  threshold INTEGER NOT NULL CHECK (threshold > 0),
  fired INTEGER,
  PRIMARY KEY (account_id, threshold)
) STRICT;

-- Every account begins with one, at half a credit.
INSERT INTO alert (account_id, threshold) SELECT id, 500000 FROM account WHERE kind = 'customer';
