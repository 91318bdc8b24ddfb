-- works with: 10
-- How often somebody asked whose rate is limited, by the process he asked, since it began: what processes over one store tell
-- one another, so that a rate is one rate wherever its requests come. A store in a file has one process, which needs none of it.
CREATE TABLE pace (
  name TEXT NOT NULL,
  replica INTEGER NOT NULL REFERENCES replica (seq),
  rate INTEGER NOT NULL CHECK (rate > 0),
  n INTEGER NOT NULL CHECK (n >= 0),
  at INTEGER NOT NULL,
  PRIMARY KEY (replica, name)
) STRICT;

CREATE INDEX pace_at ON pace (at);
