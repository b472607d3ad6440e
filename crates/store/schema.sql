-- Today's tables: what all migrations together make. A test proves it;
-- UPDATE_EXPECT=1 cargo test -p tocsin-store rewrites it.

CREATE TABLE absence (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    absence TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE acknowledgement (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL, -- of the alert
    acknowledgement TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE action_item (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    priority TEXT NOT NULL, -- P0 is the most urgent
    owner TEXT, -- NULL for nobody
    due_at INTEGER NOT NULL, -- nanoseconds since 1970
    item TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, incident, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX action_item_by_due ON action_item (tenant, status, priority, due_at);

CREATE TABLE alert_description (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    annotations TEXT NOT NULL, -- JSON object
    generator_url TEXT NOT NULL,
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE alert_identity (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    labels TEXT NOT NULL, -- JSON object
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

CREATE INDEX alert_state_closed ON alert_state (tenant, fingerprint, number) WHERE is_closed = 1;

CREATE INDEX alert_state_ended ON alert_state (tenant, ends_at, number) WHERE is_closed = 1;

CREATE INDEX alert_state_open ON alert_state (tenant, number, fingerprint) WHERE is_closed = 0;

CREATE TABLE api_token (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    token TEXT NOT NULL, -- JSON object with the hash of the secret
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE article (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    article TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number, version)
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

CREATE TABLE contact (
    tenant INTEGER NOT NULL,
    handle TEXT NOT NULL,
    contacts TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, handle)
) STRICT, WITHOUT ROWID;

CREATE TABLE credentials (
    tenant INTEGER NOT NULL,
    handle TEXT NOT NULL,
    credentials TEXT NOT NULL, -- JSON object; hashes and sealed values only
    PRIMARY KEY (tenant, handle)
) STRICT, WITHOUT ROWID;

CREATE TABLE escalation (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER, -- NULL while it is open
    policy BLOB NOT NULL, -- the hash of the policy as it was at the start
    run TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX escalation_ended ON escalation (tenant, ended_at, number) WHERE ended_at IS NOT NULL;

CREATE INDEX escalation_open ON escalation (tenant, number) WHERE ended_at IS NULL;

CREATE TABLE escalation_policy (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    policy TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE escalation_snapshot (
    tenant INTEGER NOT NULL,
    hash BLOB NOT NULL, -- of the policy
    policy TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, hash)
) STRICT, WITHOUT ROWID;

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

CREATE INDEX event_by_kind ON event (tenant, kind, sequence);

CREATE INDEX event_by_subject ON event (tenant, subject_kind, subject_number, sequence);

CREATE TABLE event_block (
    tenant INTEGER NOT NULL,
    block INTEGER NOT NULL, -- sequence / 1000
    earliest_at INTEGER NOT NULL,
    latest_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, block)
) STRICT, WITHOUT ROWID;

CREATE TABLE heartbeat (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    heartbeat TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE highest_number (
    tenant INTEGER NOT NULL PRIMARY KEY,
    alert INTEGER NOT NULL,
    alert_group INTEGER NOT NULL,
    outbox INTEGER NOT NULL,
    silence INTEGER NOT NULL,
    event INTEGER NOT NULL
, run INTEGER NOT NULL DEFAULT 0, incident INTEGER NOT NULL DEFAULT 0) STRICT;

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

CREATE INDEX incident_by_detection ON incident (tenant, detected_at);

CREATE INDEX incident_by_status ON incident (tenant, status, number);

CREATE INDEX incident_closed ON incident (tenant, closed_at) WHERE closed_at IS NOT NULL;

CREATE INDEX incident_narrow
    ON incident (tenant, number, status, severity, mode, owner, detected_at);

CREATE UNIQUE INDEX incident_open_key ON incident (tenant, key) WHERE key IS NOT NULL;

CREATE TABLE incident_alert (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    alert INTEGER NOT NULL, -- its latest life
    joined_at INTEGER NOT NULL, role TEXT, -- nanoseconds since 1970
    PRIMARY KEY (tenant, incident, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_entry (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    entry TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, incident, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_facet (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    facet TEXT NOT NULL, -- kind and value, as in category:capacity
    PRIMARY KEY (tenant, incident, facet)
) STRICT, WITHOUT ROWID;

CREATE INDEX incident_facet_by_value ON incident_facet (tenant, facet, incident);

CREATE TABLE incident_mention (
    id INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    person TEXT NOT NULL,
    incident INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;

CREATE INDEX incident_mention_by_person ON incident_mention (tenant, person, id);

CREATE UNIQUE INDEX incident_mention_of ON incident_mention (tenant, person, incident, seq);

CREATE TABLE incident_trait (
    tenant INTEGER NOT NULL,
    trait TEXT NOT NULL,
    incident INTEGER NOT NULL,
    PRIMARY KEY (tenant, trait, incident)
) STRICT, WITHOUT ROWID;

CREATE INDEX incident_trait_by_incident ON incident_trait (tenant, incident, trait);

CREATE TABLE knowledge (
    id INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    incident INTEGER, -- whose it is; NULL for an article
    service TEXT, -- of an article; NULL for any
    team TEXT, -- of an article; NULL for any
    at INTEGER NOT NULL -- nanoseconds since 1970
) STRICT;

CREATE INDEX knowledge_by_incident ON knowledge (tenant, incident, kind);

CREATE INDEX knowledge_by_time ON knowledge (tenant, at);

CREATE UNIQUE INDEX knowledge_key ON knowledge (tenant, kind, key);

CREATE VIRTUAL TABLE knowledge_text USING fts5(
    scope, title, body, tags, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE maintenance_window (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    maintenance_window TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE method_use (
    tenant INTEGER NOT NULL,
    recipient TEXT NOT NULL, -- JSON object
    throttle TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, recipient)
) STRICT, WITHOUT ROWID;

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
    receipt TEXT, page_key TEXT, doubted BLOB NOT NULL DEFAULT x'',
    PRIMARY KEY (tenant, group_key, receiver, kind, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    entry TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE page (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    page TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
    tenant INTEGER NOT NULL,
    handle TEXT NOT NULL,
    person TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, handle)
) STRICT, WITHOUT ROWID;

CREATE TABLE postmortem (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    owner TEXT, -- NULL for nobody
    due_at INTEGER, -- nanoseconds since 1970; NULL when none is due
    postmortem TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, incident)
) STRICT, WITHOUT ROWID;

CREATE INDEX postmortem_by_state ON postmortem (tenant, state, incident);

CREATE TABLE postmortem_comment (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    number INTEGER NOT NULL,
    comment TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, incident, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE postmortem_version (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    postmortem TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, incident, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE probe (
    id INTEGER NOT NULL PRIMARY KEY,
    filler BLOB NOT NULL
) STRICT;

CREATE TABLE reminder (
    tenant INTEGER NOT NULL,
    subject TEXT NOT NULL, -- such as incident/142
    kind TEXT NOT NULL,
    due_at INTEGER, -- nanoseconds since 1970; NULL for not again
    reminder TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, subject, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    schedule TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule_block (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    block TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule_override (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    override TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE secret (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    secret TEXT NOT NULL, -- JSON object; the value is sealed
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    session TEXT NOT NULL, -- JSON object with the hash of the secret
    PRIMARY KEY (tenant, id)
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

CREATE TABLE shift_swap (
    tenant INTEGER NOT NULL,
    id TEXT NOT NULL, -- UUID
    swap TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_in_link (
    tenant INTEGER NOT NULL,
    hash TEXT NOT NULL, -- of the secret, in hex
    link TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE silence (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    silence TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE step_turn (
    tenant INTEGER NOT NULL,
    policy TEXT NOT NULL,
    step INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (tenant, policy, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE team (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    team TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant (
    number INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
