-- Pages and approvals before cards before chatter, also within a lane; 0 goes first. `Effect::priority` says it of what is queued from now on.

ALTER TABLE outbox ADD COLUMN priority BIGINT NOT NULL DEFAULT 2;

-- What waits now. That of settled rows nobody reads.
UPDATE outbox SET priority = CASE
        WHEN destination = 'clock' OR destination LIKE 'pager:%' OR destination LIKE 'direct:%' THEN 0
        WHEN effect LIKE '{"do":"open_room"%' THEN 1
        WHEN effect LIKE '{"do":"say"%' AND (effect LIKE '%"approve":%' OR effect LIKE '%"deny":%') THEN 1
        WHEN effect LIKE '{"do":"say"%' OR destination LIKE 'announcements:%' THEN 3
        ELSE 2 END
    WHERE state IN ('pending', 'sending', 'unknown');

-- What is not settled, or badly. Nothing else is looked for by its state, and no planner is to prefer this to what follows.
DROP INDEX outbox_state;
CREATE INDEX outbox_standing ON outbox (state, id) WHERE state IN ('pending', 'sending', 'unknown', 'dead');
-- A lane in its order; and whether something of it is under way.
DROP INDEX outbox_lane;
CREATE INDEX outbox_order ON outbox (incident, destination, priority, id) WHERE state = 'pending';
CREATE INDEX outbox_under_way ON outbox (incident, destination) WHERE state IN ('sending', 'unknown');
-- All lanes in their order, without the timers of tomorrow; and what must not wait, timers among it, by when it is due.
CREATE INDEX outbox_turn ON outbox (priority, id, due_at) WHERE state = 'pending' AND destination <> 'clock';
CREATE INDEX outbox_urgent ON outbox (due_at, id) WHERE state = 'pending' AND priority = 0;
