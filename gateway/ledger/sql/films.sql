-- name: film_place
-- Where a video stands among those of its account, deleted or not.
SELECT created, seq FROM generation WHERE id = :id AND account_id = :account AND kind = 'video';

-- name: films_falling
-- Some videos of one account before a place, the newest first.
SELECT * FROM generation
 WHERE account_id = :account AND kind = 'video' AND deleted IS NULL AND (created, seq) < (:created, :seq)
 ORDER BY created DESC, seq DESC LIMIT :limit;

-- name: films_rising
-- Some videos of one account after a place, the oldest first.
SELECT * FROM generation
 WHERE account_id = :account AND kind = 'video' AND deleted IS NULL AND (created, seq) > (:created, :seq)
 ORDER BY created, seq LIMIT :limit;

-- name: films_outputs
-- The outputs of the videos of one account that were created within a span.
SELECT x.* FROM generation g JOIN artifact x ON x.generation = g.seq
 WHERE g.account_id = :account AND g.kind = 'video' AND g.deleted IS NULL AND g.created BETWEEN :low AND :high
 ORDER BY g.created, g.seq, x.idx;
