-- name: audit_add
-- Writes down who did what.
INSERT INTO audit (at, actor, act, subject, said) VALUES (:at, :actor, :act, :subject, :said);

-- name: audit_page
-- Some of what was done, the latest first.
SELECT * FROM audit WHERE seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: audit_of
-- Some of what was done to one thing, the latest first.
SELECT * FROM audit WHERE subject = :who AND seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: audit_by
-- Some of what one key did, the latest first.
SELECT * FROM audit WHERE actor = :who AND seq < :before ORDER BY seq DESC LIMIT :limit;
