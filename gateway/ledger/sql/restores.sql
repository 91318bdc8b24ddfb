-- name: meta_read
-- One fact about the store itself.
SELECT value FROM meta WHERE key = :key;

-- name: meta_write
-- Notes a fact about the store itself, in the place of the one before.
INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: restored_last
-- When the newest step was taken that the store knows.
SELECT max(at) AS at FROM transition;

-- name: restored_live
-- What has not ended of what was begun up to a time, with how far its open attempt has come.
SELECT g.id, (SELECT a.state FROM attempt a WHERE a.generation = g.seq AND a.ended IS NULL ORDER BY a.n DESC LIMIT 1) AS state
  FROM generation g
 WHERE g.state NOT IN ('succeeded', 'failed', 'canceled') AND g.created <= :until
 ORDER BY g.created, g.seq;

-- name: restored_left
-- Whether anything that was begun up to a time has not ended.
SELECT 1 AS found FROM generation
 WHERE state NOT IN ('succeeded', 'failed', 'canceled') AND created <= :until LIMIT 1;

-- name: restored_knows
-- Whether the store has a generation.
SELECT 1 AS found FROM generation WHERE id = :id;
