-- name: account_add
-- Opens an account for a customer; no row when the id is taken.
INSERT INTO account (id, name, kind, enforced, created)
VALUES (:id, :name, 'customer', CASE (SELECT value FROM meta WHERE key = 'credits') WHEN 'enforce' THEN 1 ELSE 0 END, :at)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: account_find
-- One customer's account.
SELECT *, images AS account_images, videos AS account_videos FROM account WHERE id = :id AND kind = 'customer';

-- name: accounts_all
-- Every customer's account, oldest first.
SELECT *, images AS account_images, videos AS account_videos FROM account WHERE kind = 'customer' ORDER BY created, id;

-- name: account_limit
-- Changes what one account is held to.
UPDATE account
   SET name = :name, request_rate = :requests, generation_rate = :generations, images = :images, videos = :videos,
       daily = :daily
 WHERE id = :id AND kind = 'customer'
RETURNING id;

-- name: account_under_way
-- A row when more generations of one kind of an account have not ended than a number; nothing is counted beyond it.
SELECT seq FROM generation WHERE ended IS NULL AND account_id = :account AND kind = :kind LIMIT 1 OFFSET :beyond;

-- name: account_spent
-- What an account has spent and set aside on one day.
SELECT amount FROM account_spend WHERE account_id = :account AND day = :day;

-- name: check_l24
-- What is counted against accounts by day is what their generations hold and cost.
SELECT account_id AS id FROM (
  SELECT account_id, day, amount FROM account_spend
  UNION ALL
  SELECT account_id, created / 86400000, -CASE state WHEN 'open' THEN amount ELSE captured END FROM hold) q
 GROUP BY account_id, day HAVING SUM(amount) <> 0;

-- name: edge_add
-- Makes a step legal.
INSERT INTO edge (a, b) VALUES (:a, :b) ON CONFLICT (a, b) DO NOTHING;
