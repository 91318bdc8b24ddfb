-- name: key_add
-- Writes a new key.
INSERT INTO api_key
       (id, account_id, name, prefix, hash, scopes, networks, created, expires,
        starts, models, budget, budget_per, rate, in_flight, images, videos, family)
VALUES (:id, :account, :name, :prefix, :hash, :scopes, :networks, :created, :expires,
        :starts, :models, :budget, :budget_per, :rate, :in_flight, :images, :videos, :family);

-- name: key_by_hash
-- The key with this hash, whatever its state, and what its account is held to.
SELECT k.*, a.request_rate, a.generation_rate, a.images AS account_images, a.videos AS account_videos, a.daily
  FROM api_key k JOIN account a ON a.id = k.account_id WHERE k.hash = :hash;

-- name: key_find
-- The key with this id, whatever its state.
SELECT * FROM api_key WHERE id = :id;

-- name: keys_of
-- The keys of one account, newest first.
SELECT * FROM api_key WHERE account_id = :account ORDER BY created DESC, id DESC;

-- name: keys_all
-- Every key, newest first.
SELECT * FROM api_key ORDER BY created DESC, id DESC;

-- name: key_change
-- Changes what a key may be used for, unless it is revoked.
UPDATE api_key
   SET name = :name, networks = :networks, models = :models, budget = :budget, budget_per = :budget_per, rate = :rate,
       in_flight = :in_flight, images = :images, videos = :videos
 WHERE id = :id AND revoked IS NULL
RETURNING id;

-- name: key_rehash
-- Gives a key another hash in place of the one it was found by.
UPDATE api_key SET hash = :hash WHERE id = :id AND hash = :old RETURNING id;

-- name: key_revoke
-- Revokes a key that is not revoked yet.
UPDATE api_key SET revoked = :at WHERE id = :id AND revoked IS NULL RETURNING id;

-- name: key_rotate
-- Gives a key an end and a successor, once, if it can still be used.
UPDATE api_key
   SET rotated_to = :successor,
       expires = CASE WHEN expires IS NULL OR expires > :until THEN CAST(:until AS BIGINT) ELSE expires END
 WHERE id = :id AND revoked IS NULL AND rotated_to IS NULL AND (expires IS NULL OR expires > :at)
RETURNING id;

-- name: key_usable
-- The account of a key that can be rotated.
SELECT account_id FROM api_key
 WHERE id = :id AND revoked IS NULL AND rotated_to IS NULL AND (expires IS NULL OR expires > :at);

-- name: key_touch
-- Notes when a key was last used.
UPDATE api_key SET last_used = :at WHERE id = :id AND (last_used IS NULL OR last_used < :at);

-- name: caps
-- What an account is held to when a generation begins, and the key if it is one of its keys.
SELECT a.request_rate, a.generation_rate, a.images AS account_images, a.videos AS account_videos, a.daily,
       k.id AS key_id, COALESCE(k.family, k.id) AS family, k.budget, k.budget_per, k.in_flight, k.images, k.videos
  FROM account a LEFT JOIN api_key k ON k.id = :key AND k.account_id = a.id WHERE a.id = :account;

-- name: key_under_way
-- A row when more generations of a family of keys have not ended than a number; nothing is counted beyond it.
SELECT seq FROM generation
 WHERE ended IS NULL AND key_id IS NOT NULL
   AND key_id IN (SELECT id FROM api_key WHERE id = :family OR family = :family) LIMIT 1 OFFSET :beyond;

-- name: key_under_way_of
-- The same for generations of one kind.
SELECT seq FROM generation
 WHERE ended IS NULL AND key_id IS NOT NULL AND kind = :kind
   AND key_id IN (SELECT id FROM api_key WHERE id = :family OR family = :family) LIMIT 1 OFFSET :beyond;

-- name: key_spent
-- What a family of keys has spent and set aside since a day.
SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS amount FROM key_spend WHERE key_id = :family AND day >= :since;

-- name: check_l23
-- What is counted against a family of keys is what its generations hold and cost.
SELECT key_id AS id FROM (
  SELECT key_id, amount FROM key_spend
  UNION ALL
  SELECT COALESCE(k.family, k.id), -CASE h.state WHEN 'open' THEN h.amount ELSE h.captured END
    FROM generation g JOIN api_key k ON k.id = g.key_id JOIN hold h ON h.generation = g.seq) q
 GROUP BY key_id HAVING SUM(amount) <> 0;
