-- name: idempotencies_find
-- What several keys were used for before, by their places, and how far those generations have come.
SELECT e.key AS place, i.created, g.created AS made, g.state, g.ended, g.deleted, g.error
  FROM json_each(:rows) AS e
  JOIN idempotency i ON i.account_id = e.value->>'account' AND i.key = e.value->>'key'
  JOIN generation g ON g.seq = i.generation;

-- name: caps_of
-- What several accounts and keys are held to, by their places.
SELECT e.key AS place, a.request_rate, a.generation_rate, a.images AS account_images, a.videos AS account_videos, a.daily,
       k.id AS key_id, COALESCE(k.family, k.id) AS family, k.budget, k.budget_per, k.in_flight, k.images, k.videos
  FROM json_each(:rows) AS e JOIN account a ON a.id = e.value->>'account'
  LEFT JOIN api_key k ON k.id = e.value->>'key' AND k.account_id = a.id;

-- name: accounts_hold
-- Sets credits aside and counts generations for each of several accounts; no row for one that cannot bear it. With what is available
-- then, and whether an armed threshold is above that.
UPDATE account
   SET held = held + CAST(e.value->>'amount' AS BIGINT), generations = generations + CAST(e.value->>'n' AS BIGINT)
  FROM json_each(:rows) AS e
 WHERE account.id = e.key AND account.kind = 'customer'
   AND (posted - held >= CAST(e.value->>'amount' AS BIGINT)
        OR (SELECT m.value FROM meta m WHERE m.key = 'credits') = 'track')
RETURNING account.id AS account, posted - held AS available,
       EXISTS (SELECT 1 FROM alert a WHERE a.account_id = account.id AND a.fired IS NULL AND a.threshold > posted - held) AS is_low;

-- name: generations_begin
-- Writes new generations, each with its first transition; one that comes with an attempt is being submitted.
INSERT INTO generation
       (id, account_id, kind, model, request, plan, adjustments, provider_order, state, price, created, changed, deadline,
        key_id, owner)
SELECT e.value->>'id', e.value->>'account', e.value->>'kind', e.value->>'model', e.value->>'request', e.value->>'plan',
       e.value->>'adjustments', e.value->>'order', e.value->>'state', CAST(e.value->>'price' AS BIGINT),
       CAST(e.value->>'at' AS BIGINT), CAST(e.value->>'at' AS BIGINT), CAST(e.value->>'deadline' AS BIGINT),
       e.value->>'key', CAST(e.value->>'owner' AS BIGINT)
  FROM json_each(:rows) AS e;

-- name: holds_open
-- Ties the credits set aside to their generations.
INSERT INTO hold (generation, account_id, amount, state, captured, created)
SELECT g.seq, e.value->>'account', CAST(e.value->>'price' AS BIGINT), 'open', 0, CAST(e.value->>'at' AS BIGINT)
  FROM json_each(:rows) AS e JOIN generation g ON g.id = e.value->>'id';

-- name: attempts_begin
-- Writes first attempts before their first bytes leave; until more is known they may have cost money.
INSERT INTO attempt (generation, n, provider, native, form, state, price, billing, started)
SELECT g.seq, 1, e.value->>'provider', e.value->>'native', CAST(e.value->>'form' AS BIGINT),
       'submitting', CAST(e.value->>'costs' AS BIGINT), 'possible', CAST(e.value->>'at' AS BIGINT)
  FROM json_each(:rows) AS e JOIN generation g ON g.id = e.value->>'id' WHERE e.value->>'provider' IS NOT NULL
RETURNING id, (SELECT g.id FROM generation g WHERE g.seq = attempt.generation) AS of;

-- name: idempotencies_put
-- Remembers the answers to keys, in place of those whose time is over.
INSERT INTO idempotency (account_id, key, fingerprint, generation, response, created)
SELECT e.value->>'account', e.value->>'idempotency', e.value->>'fingerprint', g.seq, e.value->>'response',
       CAST(e.value->>'at' AS BIGINT)
  FROM json_each(:rows) AS e JOIN generation g ON g.id = e.value->>'id' WHERE e.value->>'idempotency' IS NOT NULL
ON CONFLICT (account_id, key) DO UPDATE
   SET fingerprint = excluded.fingerprint, generation = excluded.generation,
       response = excluded.response, created = excluded.created;

-- name: generations_awaited
-- Which of several generations wait for the outputs of the only attempt there was, and what is set aside for each.
SELECT e.key AS place, g.seq, g.account_id AS account, g.state, h.amount AS held
  FROM json_each(:rows) AS e
  JOIN generation g ON g.id = e.value->>'id' AND g.state IN ('submitting', 'running')
  JOIN attempt a ON a.id = CAST(e.value->>'attempt' AS BIGINT) AND a.generation = g.seq AND a.n = 1
   AND a.state IN ('submitting', 'submitted')
  LEFT JOIN hold h ON h.generation = g.seq AND h.state = 'open';

-- name: generations_deliver
-- Ends generations with the outputs of their only attempts.
UPDATE generation
   SET state = 'succeeded', settled = CAST(e.value->>'captured' AS BIGINT), provider_used = e.value->>'provider',
       ended = CAST(e.value->>'at' AS BIGINT), changed = CAST(e.value->>'at' AS BIGINT),
       started = COALESCE(started, CAST(e.value->>'at' AS BIGINT))
  FROM json_each(:rows) AS e WHERE seq = CAST(e.value->>'seq' AS BIGINT);

-- name: attempts_deliver
-- Ends those attempts as the ones delivered.
UPDATE attempt
   SET state = 'done', won = 1, billing = 'certain', cost = CAST(e.value->>'cost' AS BIGINT),
       ended = CAST(e.value->>'at' AS BIGINT), outputs = e.value->>'outputs',
       submitted = COALESCE(submitted, CAST(e.value->>'at' AS BIGINT))
  FROM json_each(:rows) AS e WHERE attempt.id = CAST(e.value->>'attempt' AS BIGINT);

-- name: artifacts_add
-- Writes outputs of several generations.
INSERT INTO artifact (generation, idx, uri, sha256, bytes, type, width, height)
SELECT CAST(e.value->>'seq' AS BIGINT), CAST(e.value->>'index' AS BIGINT), e.value->>'uri', e.value->>'sha256',
       CAST(e.value->>'size' AS BIGINT), e.value->>'type', CAST(e.value->>'width' AS BIGINT),
       CAST(e.value->>'height' AS BIGINT)
  FROM json_each(:rows) AS e;

-- name: holds_settle
-- Captures from open holds.
UPDATE hold SET state = 'settled', captured = CAST(e.value->>'captured' AS BIGINT), closed = CAST(e.value->>'at' AS BIGINT)
  FROM json_each(:rows) AS e WHERE generation = CAST(e.value->>'seq' AS BIGINT) AND state = 'open';

-- name: txns_settle
-- Opens a transaction for each of several settlements; each happens once.
INSERT INTO txn (kind, ref, note, at)
SELECT 'settle', e.value->>'id', '', CAST(e.value->>'at' AS BIGINT) FROM json_each(:rows) AS e;

-- name: accounts_move
-- Moves the credits of several transactions at once, and lets go what was set aside for them.
UPDATE account
   SET posted = posted + CAST(e.value->>'amount' AS BIGINT), held = held - CAST(e.value->>'released' AS BIGINT)
  FROM json_each(:rows) AS e WHERE account.id = e.key
RETURNING account.id AS account, posted;

-- name: entries_put
-- Writes the entries of several settlements, in order, with the balances each of them left.
INSERT INTO entry (txn, account_id, delta, balance)
SELECT t.id, e.value->>'account', CAST(e.value->>'delta' AS BIGINT), CAST(e.value->>'balance' AS BIGINT)
  FROM json_each(:rows) AS e JOIN txn t ON t.kind = 'settle' AND t.ref = e.value->>'of'
 ORDER BY CAST(e.key AS BIGINT);
