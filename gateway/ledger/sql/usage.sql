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
-- How many generations an account asked for since a time, deleted ones included.
SELECT COUNT(*) AS n FROM generation WHERE account_id = :account AND created >= :since;

-- name: usage_providers
-- What became of the attempts behind an account's generations since a time, and what they may have cost.
SELECT provider, outcome, COUNT(*) AS n,
       CAST(SUM(CASE WHEN billing <> 'none' THEN price ELSE 0 END) AS BIGINT) AS estimated,
       CAST(SUM(CASE WHEN billing <> 'none' AND won = 0 AND outcome <> 'pending' THEN price ELSE 0 END) AS BIGINT) AS wasted
  FROM (SELECT a.provider, a.price, a.won, a.billing,
               CASE WHEN a.won = 1 THEN 'used'
                    WHEN a.double_spend = 1 THEN 'discarded'
                    WHEN g.state = 'canceled' AND a.state <> 'error' THEN 'cancelled'
                    WHEN a.state = 'abandoned' THEN 'discarded'
                    WHEN a.state IN ('error', 'in_doubt') THEN 'failed'
                    ELSE 'pending' END AS outcome
          FROM generation g JOIN attempt a ON a.generation = g.seq
         WHERE g.account_id = :account AND g.created >= :since) q
 GROUP BY provider, outcome ORDER BY provider, outcome;
