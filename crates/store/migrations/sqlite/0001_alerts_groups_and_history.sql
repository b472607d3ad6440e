-- Instants are nanoseconds since 1970 in UTC (milliseconds beyond the years 1678 to 2261, see
-- `instant.rs`), fingerprints are 64 bits, lists of fingerprints are 8 bytes each, little-endian.

CREATE TABLE alert_identity (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    labels TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_description (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    annotations TEXT NOT NULL, -- JSON object
    generator_url TEXT NOT NULL,
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_state (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    is_timeout INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    is_resolved INTEGER NOT NULL,
    received INTEGER NOT NULL,
    is_closed INTEGER NOT NULL,
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

-- What a start reads. Covers the search for open lives of a fingerprint, too, which spares every
-- new alert a write to a random place.
CREATE INDEX alert_state_open ON alert_state (tenant, number, fingerprint) WHERE is_closed = 0;

-- Earlier lives of an alert.
CREATE INDEX alert_state_closed ON alert_state (tenant, fingerprint, number) WHERE is_closed = 1;

-- What retention deletes.
CREATE INDEX alert_state_ended ON alert_state (tenant, ends_at, number) WHERE is_closed = 1;

CREATE TABLE alert_group (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    route TEXT NOT NULL,
    labels TEXT NOT NULL, -- JSON object
    opened_at INTEGER NOT NULL,
    flush_at INTEGER NOT NULL,
    early_flush_at INTEGER,
    has_flushed INTEGER NOT NULL,
    alerts BLOB NOT NULL, -- fingerprints, ascending
    held_back TEXT, -- JSON list of [cause, [positions in alerts]]
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

-- What each integration was last told of each group.
CREATE TABLE notification_log (
    tenant INTEGER NOT NULL,
    group_key TEXT NOT NULL,
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    position INTEGER NOT NULL,
    told_at INTEGER NOT NULL,
    firing BLOB NOT NULL, -- fingerprints
    resolved BLOB NOT NULL, -- fingerprints
    expires_at INTEGER NOT NULL,
    receipt TEXT,
    PRIMARY KEY (tenant, group_key, receiver, kind, position)
) STRICT, WITHOUT ROWID;

-- Notifications that were decided and are not sent yet.
CREATE TABLE outbox (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    entry TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE silence (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    silence TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE maintenance_window (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    maintenance_window TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

-- The history: only appended to, shortened by retention alone.
CREATE TABLE event (
    tenant INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject_kind INTEGER NOT NULL, -- 0 tenant, 1 alert, 2 group, 3 silence
    subject_number INTEGER NOT NULL,
    payload TEXT NOT NULL, -- JSON object without the kind
    PRIMARY KEY (tenant, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_by_subject ON event (tenant, subject_kind, subject_number, sequence);

CREATE INDEX event_by_kind ON event (tenant, kind, sequence);

-- The span of time of each thousand events. Events take effect in nearly, but not exactly, the
-- order of their places, so this leads to a time without an entry per event.
CREATE TABLE event_block (
    tenant INTEGER NOT NULL,
    block INTEGER NOT NULL, -- sequence / 1000
    earliest_at INTEGER NOT NULL,
    latest_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, block)
) STRICT, WITHOUT ROWID;

-- The highest numbers ever given, which must outlive the rows that had them.
CREATE TABLE highest_number (
    tenant INTEGER NOT NULL PRIMARY KEY,
    alert INTEGER NOT NULL,
    alert_group INTEGER NOT NULL,
    outbox INTEGER NOT NULL,
    silence INTEGER NOT NULL,
    event INTEGER NOT NULL
) STRICT;

-- Written to prove that the store can write.
CREATE TABLE probe (
    id INTEGER NOT NULL PRIMARY KEY,
    filler BLOB NOT NULL
) STRICT;
