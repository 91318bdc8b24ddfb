-- name: audit_add
-- Writes down who did what.
INSERT INTO audit (at, actor, act, subject, said) VALUES (:at, :actor, :act, :subject, :said);

-- name: audit_page
-- Some of what was done, the latest first.
SELECT * FROM audit WHERE seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: audit_of
-- Some of what was done to one thing or by one key, the latest first.
SELECT * FROM audit WHERE seq < :before AND (subject = :who OR actor = :who) ORDER BY seq DESC LIMIT :limit;
