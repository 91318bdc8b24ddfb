-- The first shape of the store. Times are milliseconds since the epoch, amounts are millionths of a credit, and columns
-- that hold JSON say so. Rows of `generation` are numbered; what hangs on them uses the number, which keeps the indexes
-- small and growing at one end.

-- Facts about the store itself. `credits` says whether a balance is needed: enforce or track.
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

INSERT INTO meta (key, value) VALUES ('credits', 'enforce');

-- Who holds credits. `posted` is the sum of the account's entries, `held` the sum of its open holds, `generations` how many
-- of its generations are not deleted. No statement can bring an enforced customer below zero. An id holds no slash, so that
-- an account and a reference join into one text without doubt.
CREATE TABLE account (
  id TEXT PRIMARY KEY CHECK (id <> '' AND id NOT LIKE '%/%'),
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('customer', 'revenue', 'source')),
  posted INTEGER NOT NULL DEFAULT 0,
  held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
  enforced INTEGER NOT NULL CHECK (enforced IN (0, 1)),
  generations INTEGER NOT NULL DEFAULT 0 CHECK (generations >= 0),
  created INTEGER NOT NULL,
  CHECK (kind <> 'customer' OR enforced = 0 OR posted - held >= 0)
) STRICT;

INSERT INTO account (id, name, kind, enforced, created) VALUES
  ('@revenue', 'what customers paid', 'revenue', 0, 0),
  ('@source', 'where credits come from', 'source', 0, 0);

-- The keys of an account. The key itself is never stored, only its hash. `scopes` and `networks` are JSON lists.
CREATE TABLE api_key (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  networks TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER,
  revoked INTEGER,
  last_used INTEGER,
  rotated_to TEXT REFERENCES api_key (id)
) STRICT;

CREATE INDEX api_key_account ON api_key (account_id, created, id);

-- The legal steps of a generation; filled from the code when the store is opened.
CREATE TABLE edge (
  a TEXT NOT NULL,
  b TEXT NOT NULL,
  PRIMARY KEY (a, b)
) STRICT;

-- What was asked for and how far it has come. JSON: request, plan, adjustments, provider_order, error. `price` is what is
-- held and `settled` what was captured; `changed` is the time of the last step, `removed` when the files went, `deleted` when
-- the caller deleted it.
CREATE TABLE generation (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account_id TEXT NOT NULL REFERENCES account (id),
  kind TEXT NOT NULL CHECK (kind IN ('image', 'video')),
  model TEXT NOT NULL,
  request TEXT NOT NULL,
  plan TEXT NOT NULL,
  adjustments TEXT NOT NULL,
  provider_order TEXT NOT NULL,
  state TEXT NOT NULL,
  price INTEGER NOT NULL CHECK (price > 0),
  settled INTEGER,
  provider_used TEXT,
  prediction TEXT,
  error TEXT,
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  started INTEGER,
  ended INTEGER,
  deadline INTEGER NOT NULL,
  removed INTEGER,
  deleted INTEGER,
  CHECK ((state IN ('succeeded', 'failed', 'canceled')) = (ended IS NOT NULL)),
  CHECK ((state = 'succeeded') = (settled IS NOT NULL)),
  CHECK ((state = 'succeeded') = (provider_used IS NOT NULL)),
  CHECK ((state = 'failed') = (error IS NOT NULL)),
  CHECK (settled IS NULL OR (settled > 0 AND settled <= price)),
  CHECK (deleted IS NULL OR (ended IS NOT NULL AND removed IS NOT NULL))
) STRICT;

CREATE INDEX generation_account ON generation (account_id, created, seq);
CREATE INDEX generation_live ON generation (created, seq) WHERE state NOT IN ('succeeded', 'failed', 'canceled');
-- What retention goes by: successes whose files are still there.
CREATE INDEX generation_files ON generation (ended) WHERE state = 'succeeded' AND removed IS NULL;

CREATE TRIGGER generation_pinned BEFORE UPDATE OF seq, id, account_id, price, created ON generation
BEGIN
  SELECT RAISE(ABORT, 'id, account, price and time of a generation are pinned at acceptance');
END;

CREATE TRIGGER generation_kept BEFORE DELETE ON generation
BEGIN
  SELECT RAISE(ABORT, 'generations are never removed from the store');
END;

-- Every step ever taken, written by the triggers below, so that none can be forgotten; an illegal one has no edge.
CREATE TABLE transition (
  seq INTEGER PRIMARY KEY,
  generation INTEGER NOT NULL REFERENCES generation (seq),
  a TEXT NOT NULL,
  b TEXT NOT NULL,
  at INTEGER NOT NULL,
  FOREIGN KEY (a, b) REFERENCES edge (a, b)
) STRICT;

CREATE INDEX transition_generation ON transition (generation);

CREATE TRIGGER generation_begins AFTER INSERT ON generation
BEGIN
  INSERT INTO transition (generation, a, b, at) VALUES (NEW.seq, 'new', NEW.state, NEW.changed);
END;

CREATE TRIGGER generation_steps AFTER UPDATE OF state ON generation
BEGIN
  INSERT INTO transition (generation, a, b, at) VALUES (NEW.seq, OLD.state, NEW.state, NEW.changed);
END;

CREATE TRIGGER transition_unchanged BEFORE UPDATE ON transition
BEGIN
  SELECT RAISE(ABORT, 'transitions are never changed');
END;

CREATE TRIGGER transition_kept BEFORE DELETE ON transition
BEGIN
  SELECT RAISE(ABORT, 'transitions are never removed');
END;

-- Credits set aside for one generation: open, then settled or released, once.
CREATE TABLE hold (
  generation INTEGER PRIMARY KEY REFERENCES generation (seq),
  account_id TEXT NOT NULL REFERENCES account (id),
  amount INTEGER NOT NULL CHECK (amount > 0),
  state TEXT NOT NULL CHECK (state IN ('open', 'settled', 'released')),
  captured INTEGER NOT NULL CHECK (captured BETWEEN 0 AND amount),
  created INTEGER NOT NULL,
  closed INTEGER,
  CHECK ((state = 'open') = (closed IS NULL)),
  CHECK ((state = 'settled') = (captured > 0))
) STRICT;

CREATE INDEX hold_open ON hold (account_id) WHERE state = 'open';

CREATE TRIGGER hold_closed_once BEFORE UPDATE ON hold
WHEN OLD.state <> 'open' OR NEW.amount <> OLD.amount OR NEW.account_id <> OLD.account_id OR NEW.generation <> OLD.generation
BEGIN
  SELECT RAISE(ABORT, 'a hold is closed once and keeps its amount and owner');
END;

CREATE TRIGGER hold_kept BEFORE DELETE ON hold
BEGIN
  SELECT RAISE(ABORT, 'holds are never removed');
END;

-- Why credits moved. `ref` is a generation's id for settle; for add it is the account, a slash and the caller's reference.
CREATE TABLE txn (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('add', 'settle', 'refund')),
  ref TEXT NOT NULL,
  note TEXT NOT NULL,
  at INTEGER NOT NULL,
  UNIQUE (kind, ref)
) STRICT;

CREATE TRIGGER txn_unchanged BEFORE UPDATE ON txn
BEGIN
  SELECT RAISE(ABORT, 'transactions are never changed');
END;

CREATE TRIGGER txn_kept BEFORE DELETE ON txn
BEGIN
  SELECT RAISE(ABORT, 'transactions are never removed');
END;

-- The double entry: per transaction at least two entries that sum to zero. `balance` is `posted` right after the entry.
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY,
  txn INTEGER NOT NULL REFERENCES txn (id),
  account_id TEXT NOT NULL REFERENCES account (id),
  delta INTEGER NOT NULL CHECK (delta <> 0),
  balance INTEGER NOT NULL,
  UNIQUE (txn, account_id)
) STRICT;

CREATE INDEX entry_account ON entry (account_id, seq);

CREATE TRIGGER entry_unchanged BEFORE UPDATE ON entry
BEGIN
  SELECT RAISE(ABORT, 'entries are never changed');
END;

CREATE TRIGGER entry_kept BEFORE DELETE ON entry
BEGIN
  SELECT RAISE(ABORT, 'entries are never removed');
END;

-- One try at one provider. JSON: kept, outputs, fault. `price` is what it should cost us, `cost` what the provider reported;
-- `double_spend` marks a billed attempt whose result was not the one delivered.
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  generation INTEGER NOT NULL REFERENCES generation (seq),
  n INTEGER NOT NULL CHECK (n >= 1),
  provider TEXT NOT NULL,
  native TEXT NOT NULL,
  form INTEGER NOT NULL CHECK (form >= 0),
  state TEXT NOT NULL
    CHECK (state IN ('submitting', 'submitted', 'storing', 'done', 'error', 'in_doubt', 'abandoned')),
  ref TEXT,
  kept TEXT,
  outputs TEXT,
  fault TEXT,
  price INTEGER NOT NULL CHECK (price >= 0),
  billing TEXT NOT NULL CHECK (billing IN ('none', 'possible', 'certain')),
  cost INTEGER CHECK (cost >= 0),
  won INTEGER NOT NULL DEFAULT 0 CHECK (won IN (0, 1)),
  double_spend INTEGER NOT NULL DEFAULT 0 CHECK (double_spend IN (0, 1)),
  started INTEGER NOT NULL,
  submitted INTEGER,
  ended INTEGER,
  UNIQUE (generation, n),
  UNIQUE (provider, ref),
  CHECK ((state IN ('submitting', 'submitted', 'storing')) = (ended IS NULL)),
  CHECK ((state = 'done') = (won = 1)),
  CHECK (won = 0 OR billing = 'certain'),
  CHECK (double_spend = 0 OR (billing = 'certain' AND won = 0))
) STRICT;

CREATE UNIQUE INDEX attempt_won ON attempt (generation) WHERE won = 1;

-- The outputs of a generation, made ours. Hash and size are missing only together: for a link that is merely passed on.
CREATE TABLE artifact (
  generation INTEGER NOT NULL REFERENCES generation (seq),
  idx INTEGER NOT NULL CHECK (idx >= 0),
  uri TEXT NOT NULL,
  sha256 TEXT,
  bytes INTEGER CHECK (bytes > 0),
  type TEXT,
  width INTEGER CHECK (width > 0),
  height INTEGER CHECK (height > 0),
  PRIMARY KEY (generation, idx),
  CHECK ((sha256 IS NULL) = (bytes IS NULL))
) STRICT;

-- The same key gets the same answer: what was answered first, and the fingerprint of what was asked.
CREATE TABLE idempotency (
  account_id TEXT NOT NULL REFERENCES account (id),
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  generation INTEGER NOT NULL REFERENCES generation (seq),
  response TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (account_id, key)
) STRICT;

CREATE INDEX idempotency_created ON idempotency (created);

-- How often each answer was given, per account, day since the epoch and endpoint. `code` is empty when there is none.
CREATE TABLE request_count (
  account_id TEXT NOT NULL,
  day INTEGER NOT NULL,
  endpoint TEXT NOT NULL,
  status INTEGER NOT NULL,
  code TEXT NOT NULL,
  n INTEGER NOT NULL CHECK (n > 0),
  PRIMARY KEY (account_id, day, endpoint, status, code)
) STRICT;
