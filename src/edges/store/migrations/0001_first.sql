-- Inbox, journal, outbox and what is derived from them. Types are TEXT and BIGINT only, so that SQLite and Postgres read the same text:
-- times are epoch milliseconds UTC, digests hex, documents JSON in TEXT, truth values 0 or 1.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row. Whoever writes holds it, so ids and the chain have no gaps and readers never skip.
CREATE TABLE head (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    seq        BIGINT NOT NULL,
    chain      TEXT   NOT NULL,
    inbox      BIGINT NOT NULL,
    outbox     BIGINT NOT NULL,
    letter     BIGINT NOT NULL,
    generation BIGINT NOT NULL
);
INSERT INTO head (id, seq, chain, inbox, outbox, letter, generation) VALUES (1, 0, '', 0, 0, 0, 0);

-- One row. The epoch rises with every owner; a transaction of an older epoch changes nothing.
CREATE TABLE lease (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    epoch    BIGINT NOT NULL,
    holder   TEXT   NOT NULL,
    taken_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL
);
INSERT INTO lease (id, epoch, holder, taken_at, until_at) VALUES (1, 0, '', 0, 0);

CREATE TABLE inbox (
    id        BIGINT PRIMARY KEY,
    source    TEXT   NOT NULL,
    key       TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    event     TEXT   NOT NULL,
    epoch     BIGINT NOT NULL,
    processed BIGINT,
    UNIQUE (source, key)
);
CREATE INDEX inbox_waiting ON inbox (id, at) WHERE processed IS NULL;
CREATE INDEX inbox_done ON inbox (processed) WHERE processed IS NOT NULL;

-- Append-only. body and salt are NULL once redacted; everything else is covered by the chain.
CREATE TABLE journal (
    seq        BIGINT PRIMARY KEY,
    incident   BIGINT NOT NULL,
    n          BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    v          BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    actor      TEXT   NOT NULL,
    body       TEXT,
    salt       TEXT,
    commitment TEXT   NOT NULL,
    chain      TEXT   NOT NULL,
    epoch      BIGINT NOT NULL,
    UNIQUE (incident, n)
);
CREATE INDEX journal_kind ON journal (kind, seq);

CREATE TABLE alerts (
    source      TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    incident    BIGINT,
    status      TEXT   NOT NULL,
    last_seen   BIGINT NOT NULL,
    body        TEXT   NOT NULL,
    epoch       BIGINT NOT NULL,
    PRIMARY KEY (source, fingerprint)
);
CREATE INDEX alerts_incident ON alerts (incident, last_seen);

-- One row. Alert states live in their own table.
CREATE TABLE desk (
    id      BIGINT PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL,
    body    TEXT   NOT NULL,
    epoch   BIGINT NOT NULL
);

-- Disposable: folded again from the journal when fold differs from the program's.
CREATE TABLE snapshots (
    incident BIGINT PRIMARY KEY,
    entries  BIGINT NOT NULL,
    state    TEXT   NOT NULL,
    open     BIGINT NOT NULL,
    private  BIGINT NOT NULL,
    fold     BIGINT NOT NULL,
    body     TEXT   NOT NULL,
    epoch    BIGINT NOT NULL
);
CREATE INDEX snapshots_open ON snapshots (incident) WHERE open = 1;

CREATE TABLE outbox (
    id          BIGINT PRIMARY KEY,
    op          TEXT   NOT NULL UNIQUE,
    incident    BIGINT NOT NULL,
    destination TEXT   NOT NULL,
    run         BIGINT NOT NULL,
    supersedes  TEXT,
    effect      TEXT   NOT NULL,
    state       TEXT   NOT NULL
        CHECK (state IN ('pending', 'sending', 'sent', 'unknown', 'reconciled', 'superseded', 'dead')),
    epoch       BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    queued_at   BIGINT NOT NULL,
    attempt_at  BIGINT,
    settled_at  BIGINT,
    remote      TEXT,
    said        TEXT,
    error       TEXT
);
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE state = 'pending';
CREATE INDEX outbox_lane ON outbox (incident, destination, id) WHERE state IN ('pending', 'sending', 'unknown');
CREATE INDEX outbox_state ON outbox (state, id);
CREATE INDEX outbox_incident ON outbox (incident, id);

CREATE TABLE dead_letter (
    id     BIGINT PRIMARY KEY,
    source TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    why    TEXT   NOT NULL,
    sample TEXT   NOT NULL
);
