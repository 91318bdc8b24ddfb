-- works with: 10
-- How often somebody asked whose rate is limited, by the process he asked, since it began: what processes over one store tell
-- one another, so that a rate is one rate wherever its requests come. A crash of the server may forget it: nothing but a minute's
-- counts are lost.
CREATE UNLOGGED TABLE pace (
  name TEXT COLLATE "C" NOT NULL,
  replica BIGINT NOT NULL,
  rate BIGINT NOT NULL CHECK (rate > 0),
  n BIGINT NOT NULL CHECK (n >= 0),
  at BIGINT NOT NULL,
  PRIMARY KEY (replica, name)
);

CREATE INDEX pace_at ON pace (at);
