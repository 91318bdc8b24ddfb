-- name: account_add
-- Opens an account for a customer; no row when the id is taken.
INSERT INTO account (id, name, kind, enforced, created)
VALUES (:id, :name, 'customer', CASE (SELECT value FROM meta WHERE key = 'credits') WHEN 'enforce' THEN 1 ELSE 0 END, :at)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: account_find
-- One customer's account.
SELECT * FROM account WHERE id = :id AND kind = 'customer';

-- name: accounts_all
-- Every customer's account, oldest first.
SELECT * FROM account WHERE kind = 'customer' ORDER BY created, id;

-- name: edge_add
-- Makes a step legal.
INSERT INTO edge (a, b) VALUES (:a, :b) ON CONFLICT (a, b) DO NOTHING;

-- name: key_add
-- Writes a new key.
INSERT INTO api_key (id, account_id, name, prefix, hash, scopes, networks, created, expires)
VALUES (:id, :account, :name, :prefix, :hash, :scopes, :networks, :created, :expires);

-- name: key_by_hash
-- The key with this hash, whatever its state.
SELECT * FROM api_key WHERE hash = :hash;

-- name: keys_of
-- The keys of one account, newest first.
SELECT * FROM api_key WHERE account_id = :account ORDER BY created DESC, id DESC;

-- name: keys_all
-- Every key, newest first.
SELECT * FROM api_key ORDER BY created DESC, id DESC;

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
