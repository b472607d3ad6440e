-- What is learned from incidents: postmortems, action items, articles, and how they are found.

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

CREATE TABLE postmortem_version (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    postmortem TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, incident, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE postmortem_comment (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    number INTEGER NOT NULL,
    comment TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, incident, number)
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

CREATE TABLE article (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    article TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number, version)
) STRICT, WITHOUT ROWID;

-- What incidents have in common with others.
CREATE TABLE incident_trait (
    tenant INTEGER NOT NULL,
    trait TEXT NOT NULL,
    incident INTEGER NOT NULL,
    PRIMARY KEY (tenant, trait, incident)
) STRICT, WITHOUT ROWID;

CREATE INDEX incident_by_detection ON incident (tenant, detected_at);

-- Everything that can be searched for; its words are in knowledge_text.
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

CREATE UNIQUE INDEX knowledge_key ON knowledge (tenant, kind, key);

CREATE INDEX knowledge_by_time ON knowledge (tenant, at);

-- The row of a document is its id above. `scope` holds a word for its tenant.
CREATE VIRTUAL TABLE knowledge_text USING fts5(
    scope, title, body, tags, tokenize = 'unicode61 remove_diacritics 2'
);

-- What was there before.
INSERT INTO knowledge (tenant, kind, key, incident, at)
SELECT tenant, 'incident', number, number, detected_at FROM incident;

INSERT INTO knowledge_text (rowid, scope, title, body, tags)
SELECT knowledge.id, 't' || knowledge.tenant, incident.title,
       coalesce(json_extract(incident.incident, '$.summary'), ''), incident.service
FROM knowledge JOIN incident
    ON incident.tenant = knowledge.tenant AND incident.number = knowledge.incident;

INSERT INTO knowledge (tenant, kind, key, incident, at)
SELECT tenant, 'comment', incident || '/' || seq, incident,
       coalesce(unixepoch(json_extract(entry, '$.occurred_at')), 0) * 1000000000
FROM incident_entry
WHERE json_extract(entry, '$.kind') = 'commented';

INSERT INTO knowledge_text (rowid, scope, title, body, tags)
SELECT knowledge.id, 't' || knowledge.tenant, '', json_extract(incident_entry.entry, '$.text'), ''
FROM knowledge JOIN incident_entry
    ON incident_entry.tenant = knowledge.tenant AND incident_entry.incident = knowledge.incident
    AND knowledge.kind = 'comment'
    AND knowledge.key = incident_entry.incident || '/' || incident_entry.seq;
