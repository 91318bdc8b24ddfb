-- name: replica_join
-- Begins a lease, and with it an epoch.
INSERT INTO replica (name, version, began, until)
VALUES (:name, :version, now_ms(), now_ms() + CAST(:lease AS BIGINT))
RETURNING seq;

-- name: replica_renew
-- Goes on with a lease; no row when it was taken away.
UPDATE replica SET until = now_ms() + CAST(:lease AS BIGINT) WHERE seq = :replica AND ended IS NULL RETURNING seq;

-- name: replica_leave
-- Gives a lease up.
UPDATE replica SET ended = now_ms() WHERE seq = :replica AND ended IS NULL;

-- name: replicas_end
-- Takes away the leases that are over.
UPDATE replica SET ended = now_ms() WHERE ended IS NULL AND until < now_ms() RETURNING seq;

-- name: replicas_there
-- Who has a lease, the eldest first, and whether it is over.
SELECT seq, name, CASE WHEN until < now_ms() THEN 1 ELSE 0 END AS late FROM replica WHERE ended IS NULL ORDER BY seq;

-- name: generations_orphaned
-- A row when a generation has not ended and nobody has it under way.
SELECT seq FROM generation
 WHERE state NOT IN ('succeeded', 'failed', 'canceled')
   AND (owner IS NULL OR owner IN (SELECT seq FROM replica WHERE ended IS NOT NULL)) LIMIT 1;

-- name: generations_claim
-- Takes over some generations that have not ended and that nobody has under way.
UPDATE generation SET owner = :replica
 WHERE seq IN (SELECT g.seq FROM generation g
                WHERE g.state NOT IN ('succeeded', 'failed', 'canceled')
                  AND (g.owner IS NULL OR g.owner IN (SELECT r.seq FROM replica r WHERE r.ended IS NOT NULL))
                ORDER BY g.seq LIMIT :limit)
RETURNING account_id, id;

-- name: notify
-- Tells every process that listens.
SELECT pg_notify('tidegate', :said);

-- name: pace_put
-- Notes how often somebody asked this process.
INSERT INTO pace (name, replica, rate, n, at) VALUES (:name, :replica, :rate, :n, now_ms())
ON CONFLICT (replica, name) DO UPDATE SET rate = excluded.rate, n = excluded.n, at = excluded.at;

-- name: paces_of_others
-- How often who asked others in the last two minutes asked them.
SELECT name, replica, rate, n FROM pace WHERE replica <> :replica AND at > now_ms() - 120000;

-- name: paces_forget
-- Forgets who has not asked for a while: his bucket is full again everywhere.
DELETE FROM pace WHERE at <= now_ms() - 120000;
