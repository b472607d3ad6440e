-- Tenants, who may do what in them, and the audit log.

CREATE TABLE tenant (
    number INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO tenant (number, name) VALUES (1, 'default');

CREATE TABLE person (
    tenant INTEGER NOT NULL,
    handle TEXT NOT NULL,
    person TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, handle)
) STRICT, WITHOUT ROWID;

CREATE TABLE team (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    team TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE credentials (
    tenant INTEGER NOT NULL,
    handle TEXT NOT NULL,
    credentials TEXT NOT NULL, -- JSON object; hashes and sealed values only
    PRIMARY KEY (tenant, handle)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_token (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    token TEXT NOT NULL, -- JSON object with the hash of the secret
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    session TEXT NOT NULL, -- JSON object with the hash of the secret
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_in_link (
    tenant INTEGER NOT NULL,
    hash TEXT NOT NULL, -- of the secret, in hex
    link TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE secret (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    secret TEXT NOT NULL, -- JSON object; the value is sealed
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    action TEXT NOT NULL, -- for looking up; what counts is the entry
    subject TEXT NOT NULL,
    entry TEXT NOT NULL, -- JSON object, byte for byte as it was hashed
    hash BLOB NOT NULL, -- SHA-256 of the hash before and the entry
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_by_action ON audit (tenant, action, number);

CREATE INDEX audit_by_subject ON audit (tenant, subject, number);
