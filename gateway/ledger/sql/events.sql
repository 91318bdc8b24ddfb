-- name: event_listeners
-- The endpoints that want to hear of something in an account, and whether they can be told now.
SELECT s.endpoint, e.state
  FROM subscription s JOIN endpoint e ON e.id = s.endpoint
 WHERE s.type = :type AND s.account_id IN (:account, '') AND s.until IS NULL;

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
