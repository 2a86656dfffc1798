-- Rooms of incidents by the platform's own id: which incident somebody means who speaks there. Those of ended incidents stay known.

CREATE TABLE room (
    platform TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    incident BIGINT NOT NULL,
    PRIMARY KEY (platform, id)
);

-- Until now only the errand that opened it told which room it was.
INSERT INTO room (platform, id, incident)
    SELECT substr(destination, 6), remote, MAX(incident) FROM outbox
    WHERE destination LIKE 'room:%' AND effect LIKE '{"do":"open_room"%' AND remote IS NOT NULL
        AND state IN ('sent', 'reconciled')
    GROUP BY substr(destination, 6), remote;
