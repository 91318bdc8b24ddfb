-- name: idempotency_find
-- What a key was answered with, and how far its generation has come.
SELECT i.fingerprint, i.response, i.created, g.id, g.state, g.created AS made, g.ended, g.deleted, g.error
  FROM idempotency i JOIN generation g ON g.seq = i.generation
 WHERE i.account_id = :account AND i.key = :key;

-- name: idempotency_put
-- Remembers the answer to a key, in place of one whose time is over.
INSERT INTO idempotency (account_id, key, fingerprint, generation, response, created)
VALUES (:account, :key, :fingerprint, :generation, :response, :at)
ON CONFLICT (account_id, key) DO UPDATE
   SET fingerprint = excluded.fingerprint, generation = excluded.generation,
       response = excluded.response, created = excluded.created;

-- name: idempotency_forget
-- Forgets some of the keys used before a time.
DELETE FROM idempotency
 WHERE (account_id, key) IN
       (SELECT account_id, key FROM idempotency WHERE created < :before ORDER BY created LIMIT :limit)
RETURNING key;

-- name: account_hold
-- Sets credits aside and counts the generation, when the account can bear it; no row when it cannot.
UPDATE account SET held = held + :amount, generations = generations + 1
 WHERE id = :account AND kind = 'customer'
   AND (posted - held >= :amount OR (SELECT value FROM meta WHERE key = 'credits') = 'track')
RETURNING posted - held AS available;

-- name: generation_add
-- Writes a new generation; its first transition is written with it.
INSERT INTO generation
       (id, account_id, kind, model, request, plan, adjustments, provider_order, state, price, created, changed, deadline,
        key_id, owner)
VALUES (:id, :account, :kind, :model, :request, :plan, :adjustments, :order, 'accepted', :price, :at, :at, :deadline,
        :key, :owner)
RETURNING seq;

-- name: hold_open
-- Ties the credits set aside to the generation.
INSERT INTO hold (generation, account_id, amount, state, captured, created)
VALUES (:generation, :account, :amount, 'open', 0, :at);

-- name: generation_of
-- One generation of one account.
SELECT * FROM generation WHERE id = :id AND account_id = :account AND deleted IS NULL;

-- name: generation_any
-- One generation, whoever it belongs to.
SELECT * FROM generation WHERE id = :id AND deleted IS NULL;

-- name: generation_page
-- Some generations of one account, newest first.
SELECT * FROM generation
 WHERE account_id = :account AND deleted IS NULL AND created < :before
 ORDER BY created DESC, seq DESC LIMIT :limit OFFSET :offset;

-- name: generation_days
-- How many generations of one account that are not deleted were accepted on each day, the latest day first.
SELECT day, accepted - deleted AS n FROM account_spend
 WHERE account_id = :account AND accepted > deleted AND day <= :day ORDER BY day DESC;

-- name: generation_part
-- How many generations of one account that are not deleted were accepted from a time until before another.
SELECT COUNT(*) AS n FROM generation
 WHERE account_id = :account AND deleted IS NULL AND created >= :low AND created < :high;

-- name: generation_total
-- How many generations of one account are not deleted.
SELECT generations FROM account WHERE id = :account;

-- name: generations_live
-- Every generation that has not ended, oldest first.
SELECT account_id, id FROM generation
 WHERE state NOT IN ('succeeded', 'failed', 'canceled') ORDER BY created, seq;

-- name: artifacts_of
-- The outputs of one generation.
SELECT * FROM artifact WHERE generation = :generation ORDER BY idx;

-- name: artifacts_page
-- The outputs of the generations of one account that were created within a span.
SELECT x.* FROM generation g JOIN artifact x ON x.generation = g.seq
 WHERE g.account_id = :account AND g.deleted IS NULL AND g.created BETWEEN :low AND :high
 ORDER BY g.created, g.seq, x.idx;

-- name: generation_move
-- Takes a generation one step on, if it still is where the caller believes.
UPDATE generation SET state = :b, changed = :at WHERE id = :id AND state = :a RETURNING seq;

-- name: generation_succeed
-- Ends a generation that is storing the outputs of this attempt.
UPDATE generation
   SET state = 'succeeded', settled = :captured, provider_used = :provider, ended = :at, changed = :at,
       started = COALESCE(started, :at),
       prediction = COALESCE((SELECT w.ref FROM attempt w WHERE w.id = :attempt), prediction)
 WHERE id = :id AND state = 'storing'
   AND EXISTS (SELECT 1 FROM attempt a WHERE a.id = :attempt AND a.generation = generation.seq AND a.state = 'storing')
RETURNING seq;

-- name: artifact_add
-- Writes one output.
INSERT INTO artifact (generation, idx, uri, sha256, bytes, type, width, height)
VALUES (:generation, :idx, :uri, :sha256, :bytes, :type, :width, :height);

-- name: generation_end
-- Ends a live generation without success.
UPDATE generation SET state = :state, error = :error, ended = :at, changed = :at
 WHERE id = :id AND state NOT IN ('succeeded', 'failed', 'canceled')
RETURNING seq;

-- name: generation_scrub
-- Deletes what the caller said and what the work gave from an ended generation; the money stays on record.
UPDATE generation
   SET request = '{}', plan = '{}', adjustments = '[]', prediction = NULL,
       error = CASE WHEN error IS NULL THEN NULL ELSE '{}' END,
       removed = COALESCE(removed, :at), deleted = :at
 WHERE id = :id AND account_id = :account AND deleted IS NULL AND state IN ('succeeded', 'failed', 'canceled')
RETURNING seq;

-- name: generation_shorten
-- Puts in place of what an ended generation was asked for the same without the files in it.
UPDATE generation SET request = :request
 WHERE id = :id AND deleted IS NULL AND state IN ('succeeded', 'failed', 'canceled')
RETURNING seq;

-- name: generations_outdated
-- Generations that ended before a time and are still there, oldest first.
SELECT seq, id, account_id, removed FROM generation
 WHERE ended < :before AND deleted IS NULL ORDER BY ended LIMIT :limit;

-- name: artifacts_scrub
-- Forgets where the outputs of an ended generation are: a link or the bytes themselves at once, files once they are removed.
UPDATE artifact SET uri = CASE WHEN sha256 IS NULL OR uri = '' THEN '' ELSE 'removing' END WHERE generation = :generation;

-- name: artifacts_removing
-- Generations whose files are still to be removed.
SELECT id FROM generation WHERE seq IN (SELECT generation FROM artifact WHERE uri = 'removing' LIMIT :limit);

-- name: artifacts_removed
-- Notes that the files of a generation are removed.
UPDATE artifact SET uri = ''
 WHERE uri = 'removing' AND generation = (SELECT seq FROM generation WHERE id = :id)
RETURNING idx;

-- name: attempts_scrub
-- Deletes what an ended generation's attempts kept of its content.
UPDATE attempt SET kept = NULL, outputs = NULL, due = NULL, fault = CASE WHEN fault IS NULL THEN NULL ELSE '{}' END
 WHERE generation = :generation;

-- name: account_uncount
-- Takes one generation off an account's count.
UPDATE account SET generations = generations - 1 WHERE id = :account;

-- name: generation_removed
-- Marks the files of an ended generation as gone.
UPDATE generation SET removed = :at
 WHERE id = :id AND removed IS NULL AND state IN ('succeeded', 'failed', 'canceled')
RETURNING seq;

-- name: generations_stale
-- Successes that ended before a time and still have their files, oldest first.
SELECT id FROM generation
 WHERE state = 'succeeded' AND removed IS NULL AND ended < :before
 ORDER BY ended LIMIT :limit;

-- name: transitions_of
-- Every state a generation has been in, and since when.
SELECT t.b AS state, t.at FROM generation g JOIN transition t ON t.generation = g.seq WHERE g.id = :id ORDER BY t.seq;
