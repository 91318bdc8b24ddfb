-- name: event_listeners
-- The endpoints that want to hear of something in an account, and whether they can be told now; and who is told of this one
-- generation alone.
SELECT s.endpoint, e.state
  FROM subscription s JOIN endpoint e ON e.id = s.endpoint
 WHERE s.type = :type AND s.account_id IN (:account, '') AND s.until IS NULL
UNION ALL
SELECT c.endpoint, 'active' AS state
  FROM callback c
 WHERE c.generation = :generation AND c.events LIKE '%"' || CAST(:type AS TEXT) || '"%';

-- name: events_listeners
-- The same for several things, by their places.
SELECT e.key AS place, s.endpoint, p.state
  FROM json_each(:rows) AS e
  JOIN subscription s ON s.type = e.value->>'type' AND s.account_id IN (e.value->>'account', '') AND s.until IS NULL
  JOIN endpoint p ON p.id = s.endpoint
UNION ALL
SELECT e.key AS place, c.endpoint, 'active' AS state
  FROM json_each(:rows) AS e JOIN callback c ON c.generation = CAST(e.value->>'seq' AS BIGINT)
 WHERE c.events LIKE '%"' || (e.value->>'type') || '"%';

-- name: events_write
-- Writes events, each once per generation and type.
INSERT INTO event (id, account_id, generation, type, data, at)
SELECT e.value->>'id', e.value->>'account', CAST(e.value->>'seq' AS BIGINT), e.value->>'type', e.value->>'data',
       CAST(e.value->>'at' AS BIGINT)
  FROM json_each(:rows) AS e WHERE true
ON CONFLICT (generation, type) DO NOTHING
RETURNING seq, id;

-- name: events_owe
-- Writes that events have to be told to endpoints: now, or once they are enabled again.
INSERT INTO delivery (id, endpoint, event, replay_of, state, next_at, created)
SELECT e.value->>'id', e.value->>'endpoint', CAST(e.value->>'event' AS BIGINT), NULL, e.value->>'state',
       CAST(e.value->>'next' AS BIGINT), CAST(e.value->>'at' AS BIGINT)
  FROM json_each(:rows) AS e;

-- name: event_write
-- Writes an event, once per generation and type.
INSERT INTO event (id, account_id, generation, type, data, at)
VALUES (:id, :account, :generation, :type, :data, :at)
ON CONFLICT (generation, type) DO NOTHING
RETURNING seq;

-- name: event_owe
-- Writes that an event has to be told to an endpoint: now, or once it is enabled again.
INSERT INTO delivery (id, endpoint, event, replay_of, state, next_at, created)
VALUES (:id, :endpoint, :event, :replay, :state, :next, :at);

-- name: events_outdated
-- Events from before a time about nothing that is live, whose deliveries all ended before it too; oldest first.
SELECT v.seq FROM event v LEFT JOIN generation g ON g.seq = v.generation
 WHERE v.at < :before AND (g.seq IS NULL OR g.ended < :before)
   AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = v.seq AND (d.ended IS NULL OR d.ended >= :before))
 ORDER BY v.at LIMIT :limit;

-- name: deliveries_forget
-- Removes the deliveries of an event.
DELETE FROM delivery WHERE event = :event;

-- name: event_forget
-- Removes an event.
DELETE FROM event WHERE seq = :event;

-- name: events_since
-- Notes since when every event is still there.
UPDATE meta SET value = CAST(CAST(:before AS BIGINT) AS TEXT)
 WHERE key = 'events_since' AND CAST(value AS BIGINT) < CAST(:before AS BIGINT);
