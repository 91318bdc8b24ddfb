-- name: callback_endpoint
-- The endpoint that stands for a host, unless it is there.
INSERT INTO endpoint (id, account_id, source, url, events, version, state, created, changed, dialect)
VALUES (:id, :account, 'api', :url, '[]', 1, 'active', :at, :at, :dialect)
ON CONFLICT (id) DO NOTHING;

-- name: callback_add
-- Who is told of one generation.
INSERT INTO callback (generation, endpoint, url, events) VALUES (:generation, :endpoint, :url, :events);

-- name: callback_forget
-- Forgets who is told of the generation of an event, once nothing is owed about it any more.
DELETE FROM callback
 WHERE generation = (SELECT v.generation FROM event v WHERE v.seq = :event)
   AND NOT EXISTS (SELECT 1 FROM event v JOIN delivery d ON d.event = v.seq
                    WHERE v.generation = callback.generation AND d.ended IS NULL);
