-- Who is on call when: schedules, what changes them, and what really happened.

CREATE TABLE schedule (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    schedule TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule_override (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    override TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule_block (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    block TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE shift_swap (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    swap TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE absence (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    absence TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE calendar_feed (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    feed TEXT NOT NULL, -- JSON object with the hash of the secret
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE calendar_import (
    tenant INTEGER NOT NULL,
    schedule TEXT NOT NULL,
    name TEXT NOT NULL,
    import TEXT NOT NULL, -- JSON object: the last good copy
    PRIMARY KEY (tenant, schedule, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE shift_record (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    schedule TEXT NOT NULL,
    starts_at INTEGER NOT NULL, -- nanoseconds since 1970
    ends_at INTEGER, -- nanoseconds since 1970; NULL while the shift goes on
    record TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX shift_record_by_start ON shift_record (tenant, schedule, starts_at);
