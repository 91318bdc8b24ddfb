-- name: alerts_of
-- The thresholds of an account, highest first.
SELECT threshold, fired FROM alert WHERE account_id = :account ORDER BY threshold DESC;

-- name: alert_put
-- Sets a threshold, unless it is set already.
INSERT INTO alert (account_id, threshold) VALUES (:account, :threshold) ON CONFLICT (account_id, threshold) DO NOTHING;

-- name: alert_drop
-- Takes a threshold away.
DELETE FROM alert WHERE account_id = :account AND threshold = :threshold;

-- name: alerts_fire
-- Marks the thresholds that a balance is below and that are armed.
UPDATE alert SET fired = :at WHERE account_id = :account AND fired IS NULL AND threshold > :balance RETURNING threshold;

-- name: alerts_arm
-- Arms the thresholds again that a balance has come back to.
UPDATE alert SET fired = NULL WHERE account_id = :account AND fired IS NOT NULL AND threshold <= :balance;
