-- works with: 7
-- Several processes over one store. Each that serves has a row: `seq` is its epoch, `until` when its lease ends unless it is
-- renewed, `ended` when it gave up or was found to be gone. What it has under way it owns, and writes as long as it has not
-- ended. A store in a file has one process, which needs neither.
CREATE TABLE replica (
  seq INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  began INTEGER NOT NULL,
  until INTEGER NOT NULL,
  ended INTEGER
) STRICT;

CREATE INDEX replica_there ON replica (seq) WHERE ended IS NULL;

ALTER TABLE generation ADD COLUMN owner INTEGER REFERENCES replica (seq);

CREATE INDEX generation_owner ON generation (owner) WHERE state NOT IN ('succeeded', 'failed', 'canceled');
