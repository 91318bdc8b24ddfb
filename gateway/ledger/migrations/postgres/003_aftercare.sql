-- What is still to be done about an attempt nobody waits for: `due` is when, in milliseconds; `cancels` how many more times its
-- provider may be told to stop. With none left only the last look is due, which says whether it was billed after all.
ALTER TABLE attempt ADD COLUMN due BIGINT;
ALTER TABLE attempt ADD COLUMN cancels BIGINT NOT NULL DEFAULT 0 CHECK (cancels >= 0);

CREATE INDEX attempt_due ON attempt (due) WHERE due IS NOT NULL;

-- What the retention of records goes by: generations that ended and are still there.
CREATE INDEX generation_ended ON generation (ended) WHERE ended IS NOT NULL AND deleted IS NULL;

-- What the retention of counts goes by.
CREATE INDEX request_count_day ON request_count (day);
