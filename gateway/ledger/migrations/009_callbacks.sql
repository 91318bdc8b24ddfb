-- Who is told of one generation alone, because whoever asked for it named an address with it, as clients of other APIs do. What
-- they are told are deliveries like all others. The endpoint such a delivery goes through stands for a host: what fails there
-- holds nobody else up. It is on no list and nobody's to change; `dialect` says in whose words and under whose signature it tells.
ALTER TABLE endpoint ADD COLUMN dialect TEXT;

-- `events` is a JSON list of what is told.
CREATE TABLE callback (
  generation INTEGER PRIMARY KEY REFERENCES generation (seq),
  endpoint TEXT NOT NULL REFERENCES endpoint (id),
  url TEXT NOT NULL,
  events TEXT NOT NULL
) STRICT;
