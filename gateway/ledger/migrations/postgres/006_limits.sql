-- What one account is held to where the policy file says otherwise of all, NULL where it says the same: requests and
-- generations begun a minute, images and videos under way, and millionths of a credit a day.
ALTER TABLE account ADD COLUMN request_rate BIGINT CHECK (request_rate > 0);
ALTER TABLE account ADD COLUMN generation_rate BIGINT CHECK (generation_rate > 0);
ALTER TABLE account ADD COLUMN images BIGINT CHECK (images > 0);
ALTER TABLE account ADD COLUMN videos BIGINT CHECK (videos > 0);
ALTER TABLE account ADD COLUMN daily BIGINT CHECK (daily > 0);

-- How many generations of a kind a key may have under way, beside what it may have of both.
ALTER TABLE api_key ADD COLUMN images BIGINT CHECK (images > 0);
ALTER TABLE api_key ADD COLUMN videos BIGINT CHECK (videos > 0);

DROP INDEX generation_key;
CREATE INDEX generation_key ON generation (key_id, kind) WHERE key_id IS NOT NULL AND ended IS NULL;
CREATE INDEX generation_under_way ON generation (account_id, kind) WHERE ended IS NULL;

-- What an account has spent and set aside, by the day of acceptance, in millionths.
CREATE TABLE account_spend (
  account_id TEXT COLLATE "C" NOT NULL REFERENCES account (id),
  day BIGINT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (account_id, day)
);

INSERT INTO account_spend (account_id, day, amount)
SELECT account_id, created / 86400000, SUM(CASE state WHEN 'open' THEN amount ELSE captured END)
  FROM hold GROUP BY account_id, created / 86400000;

CREATE FUNCTION hold_spends_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO account_spend (account_id, day, amount) VALUES (NEW.account_id, NEW.created / 86400000, NEW.amount)
  ON CONFLICT (account_id, day) DO UPDATE SET amount = account_spend.amount + excluded.amount;
  RETURN NULL;
END $$;

CREATE TRIGGER hold_spends_of_account AFTER INSERT ON hold
FOR EACH ROW EXECUTE FUNCTION hold_spends_of_account();

-- What a hold gives back the account may spend again, in the same transaction.
CREATE FUNCTION hold_returns_to_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE account_spend SET amount = amount - (NEW.amount - NEW.captured)
   WHERE account_id = NEW.account_id AND day = NEW.created / 86400000;
  RETURN NULL;
END $$;

CREATE TRIGGER hold_returns_to_account AFTER UPDATE OF state ON hold
FOR EACH ROW WHEN (OLD.state = 'open' AND NEW.state <> 'open') EXECUTE FUNCTION hold_returns_to_account();
