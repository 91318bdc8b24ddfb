-- name: delivery_endpoint_after
-- The next endpoint, by id, at which something is due.
SELECT endpoint FROM delivery
 WHERE state = 'pending' AND endpoint > :after AND next_at <= :now ORDER BY endpoint LIMIT 1;

-- name: deliveries_due
-- What is due at an endpoint, longest due first.
SELECT d.*, v.type, v.id AS event_id, v.account_id, v.generation, v.data, v.at AS happened,
       COALESCE(c.url, e.url) AS url, e.source, e.version, e.previous_until, e.previous, e.dialect
  FROM delivery d JOIN event v ON v.seq = d.event JOIN endpoint e ON e.id = d.endpoint
  LEFT JOIN callback c ON c.generation = v.generation AND c.endpoint = d.endpoint
 WHERE d.state = 'pending' AND d.endpoint = :endpoint AND d.next_at <= :now
 ORDER BY d.next_at, d.seq LIMIT :limit;

-- name: delivery_next
-- When the next delivery after a moment is due.
SELECT next_at FROM delivery WHERE state = 'pending' AND next_at > :now ORDER BY next_at LIMIT 1;

-- name: delivery_take
-- Takes the oldest queued delivery of an active endpoint, under an id of its own, for as long as a lease.
UPDATE delivery SET state = 'pending', id = :id, next_at = :until
 WHERE seq = (SELECT d.seq FROM delivery d JOIN endpoint e ON e.id = d.endpoint AND e.draining = 1
               WHERE d.endpoint = :endpoint AND d.state = 'queued' ORDER BY d.seq LIMIT 1)
RETURNING seq;

-- name: delivery_whole
-- One delivery with its event and its endpoint.
SELECT d.*, v.type, v.id AS event_id, v.account_id, v.generation, v.data, v.at AS happened,
       COALESCE(c.url, e.url) AS url, e.source, e.version, e.previous_until, e.previous, e.dialect
  FROM delivery d JOIN event v ON v.seq = d.event JOIN endpoint e ON e.id = d.endpoint
  LEFT JOIN callback c ON c.generation = v.generation AND c.endpoint = d.endpoint
 WHERE d.seq = :seq;

-- name: delivery_attempted
-- Notes how an attempt at a pending delivery went, and what follows.
UPDATE delivery SET state = :state, attempts = attempts + 1, next_at = :next, status = :status, error = :error,
       attempted = :at, ended = :ended
 WHERE seq = :seq AND state = 'pending' AND attempts = :attempts
RETURNING seq;

-- name: delivery_arrived
-- Notes that a delivery arrived whose endpoint was disabled meanwhile.
UPDATE delivery SET state = 'delivered', attempts = attempts + 1, status = :status, error = NULL, attempted = :at, ended = :at
 WHERE seq = :seq AND state = 'queued' AND attempts = :attempts
RETURNING seq;

-- name: deliveries_queue
-- Lets what is pending at an endpoint wait until it is enabled again.
UPDATE delivery SET state = 'queued', next_at = NULL WHERE endpoint = :endpoint AND state = 'pending';

-- name: deliveries_drop
-- Gives up what waits for an endpoint that is deleted.
UPDATE delivery SET state = 'failed', next_at = NULL, error = 'endpoint_deleted', ended = :at
 WHERE endpoint = :endpoint AND state IN ('pending', 'queued');

-- name: deliveries_expire
-- Gives up what was queued before a moment.
UPDATE delivery SET state = 'expired', ended = :at WHERE state = 'queued' AND created < :before RETURNING seq;

-- name: deliveries_queued
-- How many deliveries an endpoint has queued.
SELECT COUNT(*) AS n FROM delivery WHERE endpoint = :endpoint AND state = 'queued';

-- name: deliveries_page
-- Some deliveries to an endpoint, newest first.
SELECT d.*, v.type, v.id AS event_id, v.account_id, g.id AS generation_id
  FROM delivery d JOIN event v ON v.seq = d.event LEFT JOIN generation g ON g.seq = v.generation
 WHERE d.endpoint = :endpoint ORDER BY d.seq DESC LIMIT :limit OFFSET :offset;

-- name: delivery_find
-- One delivery, with the state of its endpoint.
SELECT d.endpoint, d.event, e.state
  FROM delivery d JOIN endpoint e ON e.id = d.endpoint AND e.deleted IS NULL AND e.dialect IS NULL
 WHERE d.id = :id;

-- name: usage_backlog
-- How many deliveries wait, counted up to a limit.
SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM delivery WHERE state IN ('pending', 'queued') LIMIT :limit) q;

-- name: generation_of_event
-- The generation an event is about, deleted or not.
SELECT * FROM generation WHERE seq = :seq;
