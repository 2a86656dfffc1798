-- What is looked up to be forgotten, and what a view looks for among many more.

-- Nothing was said or made. States are excluded, so that no planner prefers the index of states.
CREATE INDEX outbox_done ON outbox (settled_at)
    WHERE run = 0 AND said IS NULL AND remote IS NULL AND state NOT IN ('pending', 'sending', 'unknown', 'dead');
CREATE INDEX alerts_firing ON alerts (last_seen) WHERE status = 'firing';

-- Whoever had their turn need not say again what they wanted: only that they came.
UPDATE inbox SET event = '' WHERE processed IS NOT NULL;
