-- What was told is kept as long as records are: events and their deliveries may be removed, never one that is still owed.
DROP TRIGGER event_kept;

CREATE TRIGGER event_kept BEFORE DELETE ON event
WHEN EXISTS (SELECT 1 FROM delivery WHERE event = OLD.seq)
BEGIN
  SELECT RAISE(ABORT, 'an event is removed after all of its deliveries');
END;

CREATE TRIGGER delivery_owed BEFORE DELETE ON delivery
WHEN OLD.ended IS NULL
BEGIN
  SELECT RAISE(ABORT, 'a delivery that is owed is never removed');
END;

CREATE INDEX event_at ON event (at);

-- Since when every event is still there.
INSERT INTO meta (key, value) VALUES ('events_since', '0');

-- Secrets of endpoints of the policy, sealed with the gateway's own: the one in force at the last start, and the one before it,
-- which signs until `previous_until` although no file has it any more.
ALTER TABLE endpoint ADD COLUMN sealed TEXT;
ALTER TABLE endpoint ADD COLUMN previous TEXT;

CREATE INDEX endpoint_previous ON endpoint (previous_until) WHERE previous IS NOT NULL;
