-- name: hold_settle
-- Captures from an open hold.
UPDATE hold SET state = 'settled', captured = :captured, closed = :at
 WHERE generation = :generation AND state = 'open'
RETURNING account_id, amount;

-- name: hold_release
-- Lets an open hold go.
UPDATE hold SET state = 'released', closed = :at
 WHERE generation = :generation AND state = 'open'
RETURNING account_id, amount;

-- name: account_release
-- Gives an account back what was set aside.
UPDATE account SET held = held - :amount WHERE id = :account RETURNING posted - held AS available;

-- name: txn_add
-- Opens a transaction; kind and reference together happen once.
INSERT INTO txn (kind, ref, note, at) VALUES (:kind, :ref, :note, :at) RETURNING id;

-- name: accounts_post
-- Moves credits from one account to another, and lets go what the payer had set aside for it.
UPDATE account
   SET posted = posted + CASE WHEN id = :target THEN CAST(:amount AS BIGINT) ELSE -CAST(:amount AS BIGINT) END,
       held = held - CASE WHEN id = :source THEN CAST(:released AS BIGINT) ELSE 0 END
 WHERE id IN (:source, :target)
RETURNING id;

-- name: entries_add
-- Writes both entries of a transaction, with the balances it left.
INSERT INTO entry (txn, account_id, delta, balance)
SELECT CAST(:txn AS BIGINT), id,
       CASE WHEN id = :target THEN CAST(:amount AS BIGINT) ELSE -CAST(:amount AS BIGINT) END, posted
  FROM account WHERE id IN (:source, :target);

-- name: txn_delta
-- How much a transaction moved on an account, found by its kind and reference.
SELECT e.delta FROM txn t JOIN entry e ON e.txn = t.id AND e.account_id = :account
 WHERE t.kind = :kind AND t.ref = :ref;

-- name: account_balance
-- What a customer has, and what of it is set aside.
SELECT posted, held FROM account WHERE id = :account AND kind = 'customer';

-- name: entries_page
-- Some entries of one account, newest first.
SELECT e.seq, t.kind, t.ref, t.note, t.at, e.delta, e.balance
  FROM entry e JOIN txn t ON t.id = e.txn
 WHERE e.account_id = :account ORDER BY e.seq DESC LIMIT :limit OFFSET :offset;

-- name: entries_from
-- The number of the first entry that was written at a time or later, whoever's it is; nothing when there is none.
SELECT MIN(seq) AS seq FROM entry WHERE txn = (SELECT id FROM txn WHERE at >= :at ORDER BY at, id LIMIT 1);

-- name: entries_before
-- What an account had before an entry.
SELECT balance FROM entry WHERE account_id = :account AND seq < :first ORDER BY seq DESC LIMIT 1;

-- name: entries_sums
-- What came to an account and went from it by some entries, and how many there are.
SELECT CAST(COALESCE(SUM(CASE WHEN delta > 0 THEN delta ELSE 0 END), 0) AS BIGINT) AS added,
       CAST(COALESCE(SUM(CASE WHEN delta < 0 THEN -delta ELSE 0 END), 0) AS BIGINT) AS charged,
       COUNT(*) AS n
  FROM entry WHERE account_id = :account AND seq >= :first AND seq < :last;

-- name: entries_between
-- Some of these entries of one account, oldest first.
SELECT e.seq, t.kind, t.ref, t.note, t.at, e.delta, e.balance
  FROM entry e JOIN txn t ON t.id = e.txn
 WHERE e.account_id = :account AND e.seq >= :first AND e.seq < :last ORDER BY e.seq LIMIT :limit;

-- name: credits_policy
-- Sets whether a balance is needed.
UPDATE meta SET value = :policy WHERE key = 'credits';

-- name: accounts_enforce
-- Puts every customer that is not below zero under the rule that nobody is.
UPDATE account SET enforced = 1 WHERE kind = 'customer' AND enforced = 0 AND posted - held >= 0;

-- name: account_enforce
-- Puts one customer under that rule, where a balance is needed and it has one.
UPDATE account SET enforced = 1
 WHERE id = :account AND kind = 'customer' AND enforced = 0 AND posted - held >= 0
   AND (SELECT value FROM meta WHERE key = 'credits') = 'enforce';

-- name: accounts_track
-- Takes every customer out of that rule.
UPDATE account SET enforced = 0 WHERE kind = 'customer' AND enforced = 1;

-- name: accounts_below_zero
-- The customers that are below zero.
SELECT id FROM account WHERE kind = 'customer' AND posted - held < 0 ORDER BY id;
