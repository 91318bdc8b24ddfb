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
