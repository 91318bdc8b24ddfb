-- What was told is kept as long as records are: events and their deliveries may be removed, never one that is still owed.
DROP TRIGGER event_kept ON event;
DROP FUNCTION event_kept();

CREATE FUNCTION event_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM delivery WHERE event = OLD.seq) THEN
    RAISE EXCEPTION 'an event is removed after all of its deliveries' USING ERRCODE = 'check_violation';
  END IF;
  RETURN OLD;
END $$;

CREATE TRIGGER event_kept BEFORE DELETE ON event
FOR EACH ROW EXECUTE FUNCTION event_kept();

CREATE FUNCTION delivery_owed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a delivery that is owed is never removed' USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER delivery_owed BEFORE DELETE ON delivery
FOR EACH ROW WHEN (OLD.ended IS NULL) EXECUTE FUNCTION delivery_owed();

CREATE INDEX event_at ON event (at);

-- Since when every event is still there.
INSERT INTO meta (key, value) VALUES ('events_since', '0');

-- Secrets of endpoints of the policy, sealed with the gateway's own: the one in force at the last start, and the one before it,
-- which signs until `previous_until` although no file has it any more.
ALTER TABLE endpoint ADD COLUMN sealed TEXT COLLATE "C";
ALTER TABLE endpoint ADD COLUMN previous TEXT COLLATE "C";

CREATE INDEX endpoint_previous ON endpoint (previous_until) WHERE previous IS NOT NULL;
