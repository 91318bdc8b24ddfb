-- name: endpoint_add
-- Writes a new endpoint, which is active.
INSERT INTO endpoint (id, account_id, source, url, events, version, state, created, changed)
VALUES (:id, :account, :source, :url, :events, 1, 'active', :at, :at);

-- name: endpoint_find
-- One endpoint.
SELECT * FROM endpoint WHERE id = :id AND deleted IS NULL AND dialect IS NULL;

-- name: endpoint_any
-- One endpoint, deleted or not.
SELECT id, deleted FROM endpoint WHERE id = :id;

-- name: endpoint_seal
-- Keeps the sealed secret of an endpoint of the policy; one that it replaces still signs for a while.
UPDATE endpoint
   SET previous = sealed, previous_until = CASE WHEN sealed IS NULL THEN NULL ELSE CAST(:until AS BIGINT) END, sealed = :sealed
 WHERE id = :id AND (sealed IS NULL OR sealed <> :sealed);

-- name: endpoints_unseal
-- Forgets the replaced secrets whose time is over.
UPDATE endpoint SET previous = NULL WHERE previous IS NOT NULL AND previous_until <= :now;

-- name: endpoints_of
-- The endpoints of one account, oldest first.
SELECT * FROM endpoint WHERE account_id = :account AND deleted IS NULL AND dialect IS NULL ORDER BY created, id;

-- name: endpoints_all
-- Every endpoint, by account and age.
SELECT * FROM endpoint WHERE deleted IS NULL AND dialect IS NULL ORDER BY account_id, created, id;

-- name: endpoints_from
-- Every endpoint of one source.
SELECT * FROM endpoint WHERE source = :source AND deleted IS NULL ORDER BY id;

-- name: endpoints_draining
-- The endpoints whose queued deliveries are being sent.
SELECT id FROM endpoint WHERE draining = 1 ORDER BY id;

-- name: endpoint_change
-- Changes where an endpoint is and what it hears of; one that was deleted is there again.
UPDATE endpoint SET url = :url, events = :events, changed = :at, deleted = NULL WHERE id = :id RETURNING id;

-- name: endpoint_disable
-- Stops telling an active endpoint.
UPDATE endpoint SET state = 'disabled', why = :why, draining = 0, changed = :at
 WHERE id = :id AND state = 'active' AND deleted IS NULL
RETURNING id;

-- name: endpoint_enable
-- Tells a disabled endpoint again, beginning with what was queued.
UPDATE endpoint SET state = 'active', why = NULL, failures = 0, failed = NULL, draining = 1, changed = :at
 WHERE id = :id AND state = 'disabled' AND deleted IS NULL
RETURNING id;

-- name: endpoint_drain
-- Begins to send what an active endpoint has queued.
UPDATE endpoint SET draining = 1 WHERE id = :id AND state = 'active' AND deleted IS NULL RETURNING id;

-- name: endpoint_drained
-- Ends the sending of what was queued.
UPDATE endpoint SET draining = 0 WHERE id = :id AND draining = 1;

-- name: endpoint_rotate
-- Goes on to the next secret; the one before still signs for a while.
UPDATE endpoint SET version = version + 1, previous_until = :until, changed = :at
 WHERE id = :id AND source = 'api' AND deleted IS NULL
RETURNING version;

-- name: endpoint_delete
-- Deletes an endpoint, with the secrets kept of it.
UPDATE endpoint SET deleted = :at, draining = 0, changed = :at, sealed = NULL, previous = NULL
 WHERE id = :id AND deleted IS NULL
RETURNING id;

-- name: endpoint_failed
-- Counts a failed attempt; those that were under way together count as one.
UPDATE endpoint SET failures = failures + 1, failed = :at
 WHERE id = :id AND deleted IS NULL AND (failed IS NULL OR failed <= :began)
RETURNING failures;

-- name: endpoint_answered
-- Ends a row of failures.
UPDATE endpoint SET failures = 0, failed = NULL WHERE id = :id AND failures > 0;

-- name: subscription_open
-- Begins to tell an endpoint of something, unless it is told already.
INSERT INTO subscription (endpoint, account_id, type, since)
SELECT e.id, e.account_id, CAST(:type AS TEXT), (SELECT COALESCE(MAX(seq), 0) FROM transition)
  FROM endpoint e WHERE e.id = :endpoint
ON CONFLICT (type, account_id, endpoint) WHERE until IS NULL DO NOTHING;

-- name: subscription_close
-- Stops telling an endpoint of something.
UPDATE subscription SET until = (SELECT COALESCE(MAX(seq), 0) FROM transition)
 WHERE endpoint = :endpoint AND type = :type AND until IS NULL;

-- name: subscriptions_of
-- What an endpoint is told of.
SELECT type FROM subscription WHERE endpoint = :endpoint AND until IS NULL;
