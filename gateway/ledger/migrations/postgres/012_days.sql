-- works with: 11
-- What people ask for is found as quickly among a million generations as among a thousand: usage is counted by day while it happens,
-- and lists have an index that holds what is on them and nothing else.

-- Of the generations accepted on a day: how many there were, and how many of them are deleted.
ALTER TABLE account_spend ADD COLUMN accepted BIGINT NOT NULL DEFAULT 0 CHECK (accepted >= 0);
ALTER TABLE account_spend ADD COLUMN deleted BIGINT NOT NULL DEFAULT 0 CHECK (deleted BETWEEN 0 AND accepted);

INSERT INTO account_spend (account_id, day, amount, accepted, deleted)
SELECT account_id, created / 86400000, 0, COUNT(*), COUNT(deleted) FROM generation GROUP BY account_id, created / 86400000
ON CONFLICT (account_id, day) DO UPDATE SET accepted = excluded.accepted, deleted = excluded.deleted;

CREATE OR REPLACE FUNCTION hold_spends_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO account_spend (account_id, day, amount, accepted) VALUES (NEW.account_id, NEW.created / 86400000, NEW.amount, 1)
  ON CONFLICT (account_id, day)
  DO UPDATE SET amount = account_spend.amount + excluded.amount, accepted = account_spend.accepted + 1;
  RETURN NULL;
END $$;

CREATE FUNCTION generation_uncounted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE account_spend SET deleted = deleted + 1 WHERE account_id = NEW.account_id AND day = NEW.created / 86400000;
  RETURN NULL;
END $$;

CREATE TRIGGER generation_uncounted AFTER UPDATE OF deleted ON generation
FOR EACH ROW WHEN (OLD.deleted IS NULL AND NEW.deleted IS NOT NULL) EXECUTE FUNCTION generation_uncounted();

-- What became of each attempt, by the day its generation was accepted, and what it may have cost.
CREATE VIEW attempt_use AS
SELECT a.id, a.generation, g.account_id, g.created / 86400000 AS day, a.provider,
       CASE WHEN a.won = 1 THEN 'used'
            WHEN a.double_spend = 1 THEN 'discarded'
            WHEN g.state = 'canceled' AND a.state <> 'error' THEN 'cancelled'
            WHEN a.state = 'abandoned' THEN 'discarded'
            WHEN a.state IN ('error', 'in_doubt') THEN 'failed'
            ELSE 'pending' END AS outcome,
       CASE WHEN a.billing <> 'none' THEN a.price ELSE 0 END AS amount
  FROM attempt a JOIN generation g ON g.seq = a.generation;

-- How many of them there are, and the sum of what they may have cost.
CREATE TABLE provider_use (
  account_id TEXT COLLATE "C" NOT NULL REFERENCES account (id),
  day BIGINT NOT NULL,
  provider TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('used', 'cancelled', 'discarded', 'failed', 'pending')),
  n BIGINT NOT NULL CHECK (n >= 0),
  amount BIGINT NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (account_id, day, provider, outcome)
);

INSERT INTO provider_use (account_id, day, provider, outcome, n, amount)
SELECT account_id, day, provider, outcome, COUNT(*), SUM(amount) FROM attempt_use GROUP BY account_id, day, provider, outcome;

CREATE FUNCTION attempt_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO provider_use (account_id, day, provider, outcome, n, amount)
  SELECT account_id, day, provider, outcome, 1, amount FROM attempt_use WHERE id = NEW.id
  ON CONFLICT (account_id, day, provider, outcome) DO UPDATE SET n = provider_use.n + 1, amount = provider_use.amount + excluded.amount;
  RETURN NULL;
END $$;

CREATE TRIGGER attempt_counts AFTER INSERT ON attempt
FOR EACH ROW EXECUTE FUNCTION attempt_counts();

-- An attempt that goes on counts as it did.
CREATE FUNCTION attempt_counted_before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE provider_use SET n = provider_use.n - 1, amount = provider_use.amount - u.amount FROM attempt_use u
   WHERE u.id = OLD.id AND provider_use.account_id = u.account_id AND provider_use.day = u.day
     AND provider_use.provider = u.provider AND provider_use.outcome = u.outcome;
  RETURN NEW;
END $$;

CREATE TRIGGER attempt_counted_before BEFORE UPDATE OF state, won, double_spend, billing ON attempt
FOR EACH ROW WHEN (NEW.ended IS NOT NULL OR NEW.billing <> OLD.billing) EXECUTE FUNCTION attempt_counted_before();

CREATE FUNCTION attempt_counted_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO provider_use (account_id, day, provider, outcome, n, amount)
  SELECT account_id, day, provider, outcome, 1, amount FROM attempt_use WHERE id = NEW.id
  ON CONFLICT (account_id, day, provider, outcome) DO UPDATE SET n = provider_use.n + 1, amount = provider_use.amount + excluded.amount;
  RETURN NULL;
END $$;

CREATE TRIGGER attempt_counted_after AFTER UPDATE OF state, won, double_spend, billing ON attempt
FOR EACH ROW WHEN (NEW.ended IS NOT NULL OR NEW.billing <> OLD.billing) EXECUTE FUNCTION attempt_counted_after();

-- Whoever cancels gives up all that did not fail.
CREATE FUNCTION generation_counted_before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE provider_use SET n = provider_use.n - u.n, amount = provider_use.amount - u.amount
    FROM (SELECT account_id, day, provider, outcome, COUNT(*) AS n, SUM(amount) AS amount FROM attempt_use
           WHERE generation = OLD.seq GROUP BY account_id, day, provider, outcome) u
   WHERE provider_use.account_id = u.account_id AND provider_use.day = u.day
     AND provider_use.provider = u.provider AND provider_use.outcome = u.outcome;
  RETURN NEW;
END $$;

CREATE TRIGGER generation_counted_before BEFORE UPDATE OF state ON generation
FOR EACH ROW WHEN (NEW.state = 'canceled') EXECUTE FUNCTION generation_counted_before();

CREATE FUNCTION generation_counted_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO provider_use (account_id, day, provider, outcome, n, amount)
  SELECT account_id, day, provider, outcome, COUNT(*), SUM(amount) FROM attempt_use
   WHERE generation = NEW.seq GROUP BY account_id, day, provider, outcome
  ON CONFLICT (account_id, day, provider, outcome) DO UPDATE SET n = provider_use.n + excluded.n, amount = provider_use.amount + excluded.amount;
  RETURN NULL;
END $$;

CREATE TRIGGER generation_counted_after AFTER UPDATE OF state ON generation
FOR EACH ROW WHEN (NEW.state = 'canceled') EXECUTE FUNCTION generation_counted_after();

-- Lists: those that were deleted are not walked past.
CREATE INDEX generation_there ON generation (account_id, created, seq) WHERE deleted IS NULL;
DROP INDEX generation_account;

-- Statements: where a day begins among the movements.
CREATE INDEX txn_at ON txn (at, id);

-- The audit of one key.
CREATE INDEX audit_actor ON audit (actor, seq);
