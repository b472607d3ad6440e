-- Escalations, pages, policies, contact methods and heartbeat monitors.

CREATE TABLE escalation (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER, -- NULL while it is open
    policy BLOB NOT NULL, -- the hash of the policy as it was at the start
    run TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX escalation_open ON escalation (tenant, number) WHERE ended_at IS NULL;

CREATE INDEX escalation_ended ON escalation (tenant, ended_at, number) WHERE ended_at IS NOT NULL;

CREATE TABLE escalation_snapshot (
    tenant INTEGER NOT NULL,
    hash BLOB NOT NULL, -- of the policy
    policy TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE escalation_policy (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    policy TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE step_turn (
    tenant INTEGER NOT NULL,
    policy TEXT NOT NULL,
    step INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (tenant, policy, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE page (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    page TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact (
    tenant INTEGER NOT NULL,
    handle TEXT NOT NULL,
    contacts TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, handle)
) STRICT, WITHOUT ROWID;

CREATE TABLE method_use (
    tenant INTEGER NOT NULL,
    recipient TEXT NOT NULL, -- JSON object
    throttle TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, recipient)
) STRICT, WITHOUT ROWID;

CREATE TABLE heartbeat (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    heartbeat TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE highest_number ADD COLUMN run INTEGER NOT NULL DEFAULT 0;
