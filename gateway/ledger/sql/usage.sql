-- name: request_count
-- Adds to how often an answer was given.
INSERT INTO request_count (account_id, day, endpoint, status, code, n)
VALUES (:account, :day, :endpoint, :status, :code, :n)
ON CONFLICT (account_id, day, endpoint, status, code) DO UPDATE SET n = request_count.n + excluded.n;

-- name: request_count_forget
-- Forgets some of the counts of days before one.
DELETE FROM request_count
 WHERE (account_id, day, endpoint, status, code) IN
       (SELECT account_id, day, endpoint, status, code FROM request_count WHERE day < :day ORDER BY day LIMIT :limit)
RETURNING n;

-- name: usage_endpoints
-- How often each endpoint gave each answer, since a day.
SELECT endpoint, status, code, CAST(SUM(n) AS BIGINT) AS n FROM request_count
 WHERE account_id = :account AND day >= :day
 GROUP BY endpoint, status, code ORDER BY endpoint, status, code;

-- name: usage_generations
-- How many generations an account asked for since a day, deleted ones included.
SELECT CAST(COALESCE(SUM(accepted), 0) AS BIGINT) AS n FROM account_spend WHERE account_id = :account AND day >= :day;

-- name: usage_providers
-- What became of the attempts behind an account's generations since a day, and what they may have cost.
SELECT provider, outcome, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(amount) AS BIGINT) AS estimated,
       CAST(SUM(CASE WHEN outcome IN ('used', 'pending') THEN 0 ELSE amount END) AS BIGINT) AS wasted
  FROM provider_use
 WHERE account_id = :account AND day >= :day
 GROUP BY provider, outcome HAVING SUM(n) > 0 ORDER BY provider, outcome;

-- name: check_l25
-- What usage counts of attempts by day is what became of them.
SELECT account_id AS id FROM (
  SELECT account_id, day, provider, outcome, n, amount FROM provider_use
  UNION ALL
  SELECT account_id, day, provider, outcome, -1, -amount FROM attempt_use) q
 GROUP BY account_id, day, provider, outcome HAVING SUM(n) <> 0 OR SUM(amount) <> 0;

-- name: check_l26
-- How many generations of a day are counted, and how many as deleted, is how many there are.
SELECT account_id AS id FROM (
  SELECT account_id, day, accepted, deleted FROM account_spend
  UNION ALL
  SELECT account_id, created / 86400000, -1, CASE WHEN deleted IS NULL THEN 0 ELSE -1 END FROM generation) q
 GROUP BY account_id, day HAVING SUM(accepted) <> 0 OR SUM(deleted) <> 0;
