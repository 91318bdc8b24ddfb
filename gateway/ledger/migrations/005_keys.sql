-- What a key may be used for beyond its scopes: from when on, for which models (JSON, patterns; empty for all), for how many
-- millionths of a credit a day or in all, for how many requests a minute, with how many generations under way. `family` is the
-- first key of those that replaced one another, and empty for the first itself: they share budget and limits.
ALTER TABLE api_key ADD COLUMN starts INTEGER;
ALTER TABLE api_key ADD COLUMN models TEXT NOT NULL DEFAULT '[]';
ALTER TABLE api_key ADD COLUMN budget INTEGER CHECK (budget > 0);
ALTER TABLE api_key ADD COLUMN budget_per TEXT NOT NULL DEFAULT 'all' CHECK (budget_per IN ('day', 'all'));
ALTER TABLE api_key ADD COLUMN rate INTEGER CHECK (rate > 0);
ALTER TABLE api_key ADD COLUMN in_flight INTEGER CHECK (in_flight > 0);
ALTER TABLE api_key ADD COLUMN family TEXT REFERENCES api_key (id);

CREATE INDEX api_key_family ON api_key (family) WHERE family IS NOT NULL;

-- The key a generation was asked for with.
ALTER TABLE generation ADD COLUMN key_id TEXT REFERENCES api_key (id);

CREATE INDEX generation_key ON generation (key_id) WHERE key_id IS NOT NULL AND ended IS NULL;

CREATE TRIGGER generation_key_pinned BEFORE UPDATE OF key_id ON generation
BEGIN
  SELECT RAISE(ABORT, 'the key of a generation is pinned at acceptance');
END;

-- What the first of a family of keys and its successors have spent and set aside, by the day of acceptance, in millionths.
CREATE TABLE key_spend (
  key_id TEXT NOT NULL REFERENCES api_key (id),
  day INTEGER NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (key_id, day)
) STRICT;

CREATE TRIGGER hold_spends_of_key AFTER INSERT ON hold
BEGIN
  INSERT INTO key_spend (key_id, day, amount)
  SELECT COALESCE(k.family, k.id), NEW.created / 86400000, NEW.amount
    FROM generation g JOIN api_key k ON k.id = g.key_id WHERE g.seq = NEW.generation
  ON CONFLICT (key_id, day) DO UPDATE SET amount = amount + excluded.amount;
END;

-- What a hold gives back the key may spend again, in the same transaction.
CREATE TRIGGER hold_returns_to_key AFTER UPDATE OF state ON hold
WHEN OLD.state = 'open' AND NEW.state <> 'open'
BEGIN
  UPDATE key_spend SET amount = amount - (NEW.amount - NEW.captured)
   WHERE day = NEW.created / 86400000
     AND key_id = (SELECT COALESCE(k.family, k.id) FROM generation g JOIN api_key k ON k.id = g.key_id
                    WHERE g.seq = NEW.generation);
END;

-- Who changed what about keys, accounts, credits, webhooks and breakers: `actor` is a key's id, or the operator.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL CHECK (actor <> ''),
  act TEXT NOT NULL CHECK (act <> ''),
  subject TEXT NOT NULL,
  said TEXT NOT NULL
) STRICT;

CREATE INDEX audit_subject ON audit (subject, seq);

CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit is never changed');
END;

CREATE TRIGGER audit_kept BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit is never removed');
END;
