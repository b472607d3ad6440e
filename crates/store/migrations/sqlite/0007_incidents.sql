-- Incidents, what belongs to them, and their timelines.

CREATE TABLE incident (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    key TEXT, -- of an open one; NULL when it is over or has none
    status TEXT NOT NULL,
    severity INTEGER NOT NULL, -- 1 is the worst
    mode TEXT NOT NULL,
    service TEXT NOT NULL,
    owner TEXT, -- NULL for nobody
    detected_at INTEGER NOT NULL, -- nanoseconds since 1970
    closed_at INTEGER, -- nanoseconds since 1970; NULL while it is not closed
    title TEXT NOT NULL,
    incident TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

-- The engine sees to it; this stands behind it.
CREATE UNIQUE INDEX incident_open_key ON incident (tenant, key) WHERE key IS NOT NULL;

CREATE INDEX incident_by_status ON incident (tenant, status, number);

CREATE INDEX incident_closed ON incident (tenant, closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE incident_alert (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    alert INTEGER NOT NULL, -- its latest life
    joined_at INTEGER NOT NULL, -- nanoseconds since 1970
    PRIMARY KEY (tenant, incident, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_entry (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    entry TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, incident, seq)
) STRICT, WITHOUT ROWID;

ALTER TABLE highest_number ADD COLUMN incident INTEGER NOT NULL DEFAULT 0;
