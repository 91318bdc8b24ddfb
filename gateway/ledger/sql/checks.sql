-- name: check_l1
-- Every transaction has two entries or more, and they sum to zero.
SELECT t.id FROM txn t LEFT JOIN entry e ON e.txn = t.id
 GROUP BY t.id HAVING COUNT(e.seq) < 2 OR SUM(e.delta) <> 0;

-- name: check_l2
-- What an account has is the sum of its entries.
SELECT a.id FROM account a LEFT JOIN entry e ON e.account_id = a.id
 GROUP BY a.id, a.posted HAVING a.posted <> COALESCE(SUM(e.delta), 0);

-- name: check_l3
-- What an account has set aside is the sum of its open holds.
SELECT a.id FROM account a LEFT JOIN hold h ON h.account_id = a.id AND h.state = 'open'
 GROUP BY a.id, a.held HAVING a.held <> COALESCE(SUM(h.amount), 0);

-- name: check_l4
-- No customer who needs a balance is below zero.
SELECT id FROM account WHERE kind = 'customer' AND enforced = 1 AND posted - held < 0;

-- name: check_l5
-- A live generation has an open hold of its price, an ended one has a closed hold.
SELECT g.id FROM generation g LEFT JOIN hold h ON h.generation = g.seq
 WHERE h.generation IS NULL OR h.amount <> g.price
    OR (h.state = 'open') <> (g.state NOT IN ('succeeded', 'failed', 'canceled'));

-- name: check_l6
-- What became of the credits is what became of the work.
SELECT g.id FROM generation g JOIN hold h ON h.generation = g.seq
 WHERE (g.state = 'succeeded' AND (h.state <> 'settled' OR h.captured <> COALESCE(g.settled, 0)))
    OR (g.state IN ('failed', 'canceled') AND h.state <> 'released');

-- name: check_l7
-- What was captured moved exactly once, and nothing else did.
SELECT g.id FROM hold h JOIN generation g ON g.seq = h.generation
  LEFT JOIN txn t ON t.kind = 'settle' AND t.ref = g.id
  LEFT JOIN entry e ON e.txn = t.id AND e.account_id = h.account_id
 GROUP BY g.id, h.captured HAVING COALESCE(SUM(e.delta), 0) <> -h.captured;

-- name: check_l8
-- A success has outputs.
SELECT g.id FROM generation g
 WHERE g.state = 'succeeded' AND NOT EXISTS (SELECT 1 FROM artifact x WHERE x.generation = g.seq);

-- name: check_l9
-- A success has exactly one attempt that won, everything else has none.
SELECT g.id FROM generation g LEFT JOIN attempt a ON a.generation = g.seq AND a.won = 1
 GROUP BY g.id, g.state HAVING COUNT(a.id) <> CASE WHEN g.state = 'succeeded' THEN 1 ELSE 0 END;

-- name: check_l10
-- A second billed attempt of a generation is always flagged.
SELECT g.id FROM generation g JOIN attempt a ON a.generation = g.seq
 WHERE a.billing = 'certain' AND a.double_spend = 0
 GROUP BY g.id HAVING COUNT(*) > 1;

-- name: check_l11
-- Every end that somebody wanted to hear of has its event, as long as events are kept.
SELECT g.id FROM transition t JOIN generation g ON g.seq = t.generation
  JOIN subscription s ON s.account_id IN (g.account_id, '') AND t.seq > s.since AND (s.until IS NULL OR t.seq <= s.until)
   AND s.type = CASE t.b WHEN 'succeeded' THEN 'generation.completed' ELSE 'generation.' || t.b END
 WHERE t.b IN ('succeeded', 'failed', 'canceled')
   AND g.ended >= (SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'events_since')
   AND NOT EXISTS (SELECT 1 FROM event v WHERE v.generation = g.seq AND v.type = s.type);

-- name: check_l12
-- Every step taken is legal, and the steps of a generation lead from the start to where it is without a gap.
SELECT g.id FROM transition t JOIN generation g ON g.seq = t.generation
  LEFT JOIN edge e ON e.a = t.a AND e.b = t.b WHERE e.a IS NULL
UNION
SELECT id FROM (
  SELECT g.id, t.a, LAG(t.b, 1, 'new') OVER (PARTITION BY g.seq ORDER BY t.seq) AS before
    FROM generation g JOIN transition t ON t.generation = g.seq) q
 WHERE a <> before
UNION
SELECT g.id FROM generation g
  LEFT JOIN transition t ON t.seq = (SELECT MAX(x.seq) FROM transition x WHERE x.generation = g.seq)
 WHERE t.seq IS NULL OR t.b <> g.state;

-- name: check_l13
-- Nothing lives past its deadline and the time allowed on top.
SELECT id FROM generation
 WHERE state NOT IN ('succeeded', 'failed', 'canceled') AND deadline + CAST(:grace AS BIGINT) < :now;

-- name: check_l14
-- All entries together sum to zero.
SELECT s AS id FROM (SELECT COALESCE(SUM(delta), 0) AS s FROM entry) q WHERE s <> 0;

-- name: check_l15
-- Every hold belongs to a generation of the same account.
SELECT h.generation AS id FROM hold h LEFT JOIN generation g ON g.seq = h.generation
 WHERE g.seq IS NULL OR g.account_id <> h.account_id;

-- name: check_l19
-- Adding up an account's entries from the first gives the balance each of them carries.
SELECT seq AS id FROM (
  SELECT seq, balance, SUM(delta) OVER (PARTITION BY account_id ORDER BY seq) AS total FROM entry) q
 WHERE balance <> total;

-- name: check_l21
-- The count an account keeps is the number of its generations that are not deleted.
SELECT a.id FROM account a LEFT JOIN generation g ON g.account_id = a.id AND g.deleted IS NULL
 GROUP BY a.id, a.generations HAVING a.generations <> COUNT(g.seq);

-- name: check_l22
-- Every event is owed to somebody of its account, and nothing is pending at an endpoint that is not told or gone.
SELECT v.id FROM event v WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = v.seq)
UNION
SELECT d.id FROM delivery d JOIN endpoint e ON e.id = d.endpoint JOIN event v ON v.seq = d.event
 WHERE e.account_id NOT IN (v.account_id, '')
    OR (d.state = 'pending' AND e.state <> 'active')
    OR (d.state IN ('pending', 'queued') AND e.deleted IS NOT NULL);

-- name: store_version
-- The newest migration the store has.
SELECT MAX(version) AS version FROM applied;
