-- name: generation_submitting
-- Takes a live generation to submitting, from wherever it is.
UPDATE generation SET state = 'submitting', changed = :at
 WHERE id = :id AND state NOT IN ('succeeded', 'failed', 'canceled')
RETURNING seq;

-- name: generation_beside
-- Finds a generation whose job runs, and keeps it there until an attempt beside that is written.
UPDATE generation SET changed = changed WHERE id = :id AND state = 'running' RETURNING seq;

-- name: attempt_open
-- Writes an attempt before its first byte leaves; until more is known it may have cost money.
INSERT INTO attempt (generation, n, provider, native, form, state, price, billing, started)
VALUES (:generation, :n, :provider, :native, :form, 'submitting', :price, 'possible', :at)
RETURNING id;

-- name: attempt_submitted
-- Keeps the provider's reference of an attempt, unless another attempt has it.
UPDATE attempt SET state = 'submitted', ref = :ref, kept = :kept, submitted = :at
 WHERE id = :id AND state = 'submitting'
   AND NOT EXISTS (SELECT 1 FROM attempt o WHERE o.provider = attempt.provider AND o.ref = :ref)
RETURNING generation, provider;

-- name: attempt_holder
-- Which other attempt holds the reference that a submitting attempt was given.
SELECT o.id FROM attempt a JOIN attempt o ON o.provider = a.provider AND o.ref = :ref
 WHERE a.id = :id AND a.state = 'submitting';

-- name: generation_running
-- Takes a generation to running once a provider has its job.
UPDATE generation SET state = 'running', changed = :at, started = COALESCE(started, :at), prediction = :ref
 WHERE seq = :generation AND state = 'submitting'
RETURNING seq, id, account_id;

-- name: attempt_storing
-- Keeps the outputs of an attempt whose generation still waits for them.
UPDATE attempt SET state = 'storing', outputs = :outputs, submitted = COALESCE(submitted, :at)
 WHERE id = :id AND state IN ('submitting', 'submitted')
   AND EXISTS (SELECT 1 FROM generation g
                WHERE g.seq = attempt.generation AND g.state IN ('submitting', 'running'))
RETURNING generation, provider, ref;

-- name: generation_runs
-- Whether a generation is running.
SELECT seq FROM generation WHERE seq = :generation AND state = 'running';

-- name: generation_storing
-- Takes a generation to storing once a provider has done its work.
UPDATE generation SET state = 'storing', changed = :at, started = COALESCE(started, :at)
 WHERE seq = :generation AND state IN ('submitting', 'running')
RETURNING seq, id, account_id;

-- name: attempt_won
-- Ends the attempt that was storing as the one delivered.
UPDATE attempt SET state = 'done', won = 1, billing = 'certain', cost = :cost, ended = :at
 WHERE id = :id AND generation = :generation AND state = 'storing'
RETURNING n;

-- name: attempts_lost
-- Flags every billed attempt of a generation that is not the one delivered.
UPDATE attempt SET double_spend = 1 WHERE generation = :generation AND billing = 'certain' AND won = 0;

-- name: attempt_close
-- Ends an open attempt without success; a second billed one is flagged.
UPDATE attempt
   SET state = :state, fault = :fault, billing = :billing, cost = COALESCE(:cost, cost), ended = :at,
       due = :due, cancels = :cancels,
       double_spend = CASE WHEN CAST(:billing AS TEXT) = 'certain' AND EXISTS
         (SELECT 1 FROM attempt o WHERE o.generation = attempt.generation AND o.id <> attempt.id
                                    AND o.billing = 'certain' AND o.double_spend = 0) THEN 1 ELSE 0 END
 WHERE id = :id AND state IN ('submitting', 'submitted', 'storing')
RETURNING id;

-- name: attempt_late
-- Marks an attempt nobody waits for as billed, because its result came after all.
UPDATE attempt SET billing = 'certain', double_spend = 1, cost = COALESCE(:cost, cost), due = NULL
 WHERE id = :id AND state IN ('abandoned', 'in_doubt', 'error') AND double_spend = 0
RETURNING id;

-- name: attempts_unattended
-- Sees to it that what is open of an ended generation is not forgotten, should nobody close it.
UPDATE attempt SET due = :due, cancels = :cancels
 WHERE generation = :generation AND state IN ('submitting', 'submitted', 'storing');

-- name: attempt_leave
-- Sees to it that one open attempt is closed, and its job stopped, by whoever sees to what nobody waits for.
UPDATE attempt SET due = :due, cancels = :cancels
 WHERE id = :id AND state IN ('submitting', 'submitted', 'storing')
RETURNING id;

-- name: attempts_due
-- Attempts nobody waits for that something is due for, the most overdue first.
SELECT a.*, g.id AS generation_id, g.model, g.plan FROM attempt a JOIN generation g ON g.seq = a.generation
 WHERE a.due <= :at ORDER BY a.due LIMIT :limit;

-- name: attempt_put_off
-- Says when an attempt nobody waits for is seen to next; never again, without a time.
UPDATE attempt SET due = :due, cancels = :cancels WHERE id = :id AND due IS NOT NULL RETURNING id;

-- name: attempt_find
-- One attempt.
SELECT a.*, g.id AS generation_id FROM attempt a JOIN generation g ON g.seq = a.generation WHERE a.id = :id;

-- name: attempts_of
-- The attempts of one generation, in order.
SELECT a.*, g.id AS generation_id FROM attempt a JOIN generation g ON g.seq = a.generation
 WHERE a.generation = :generation ORDER BY a.n;

-- name: attempts_recent
-- The latest attempts that have ended since a time, newest first; it looks at no more than `limit` of them.
SELECT a.provider, g.model, a.form, a.state, a.fault, a.won, a.double_spend, a.started, a.ended, g.state AS generation_state,
       (SELECT MAX(t.at) FROM transition t
         WHERE a.won = 1 AND t.generation = a.generation AND t.at > a.submitted
           AND (t.b = 'storing' OR t.b = 'succeeded' AND t.a <> 'storing')) - a.submitted AS ran
  FROM attempt a JOIN generation g ON g.seq = a.generation
 WHERE a.id > (SELECT MAX(id) FROM attempt) - :limit AND a.ended >= :since
 ORDER BY a.id DESC;
