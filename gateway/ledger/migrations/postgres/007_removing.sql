-- Outputs that are still to be removed from their store: they are marked in the transaction that says they are gone, so that
-- neither a crash nor a store that is down leaves one behind. A generation has few, and few wait at a time.
CREATE INDEX artifact_removing ON artifact (generation) WHERE uri = 'removing';
