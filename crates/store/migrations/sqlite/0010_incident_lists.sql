-- Lists of incidents are narrowed by what they are about and who has to do with them.

CREATE TABLE incident_facet (
    tenant INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    facet TEXT NOT NULL, -- kind and value, as in category:capacity
    PRIMARY KEY (tenant, incident, facet)
) STRICT, WITHOUT ROWID;

CREATE INDEX incident_facet_by_value ON incident_facet (tenant, facet, incident);

-- root, symptom or duplicate, as somebody said; NULL while nobody did.
ALTER TABLE incident_alert ADD COLUMN role TEXT;

-- Everything that a list asks about every incident, without what makes its rows long.
CREATE INDEX incident_narrow
    ON incident (tenant, number, status, severity, mode, owner, detected_at);

INSERT OR IGNORE INTO incident_facet (tenant, incident, facet)
SELECT tenant, number, 'category:' || (incident ->> '$.category') FROM incident
WHERE incident ->> '$.category' IS NOT NULL
UNION ALL
SELECT tenant, number, 'team:' || (incident ->> '$.labels.team') FROM incident
WHERE coalesce(incident ->> '$.labels.team', '') <> ''
UNION ALL
SELECT tenant, number, 'service:' || service FROM incident WHERE service <> ''
UNION ALL
SELECT tenant, number, 'participant:' || owner FROM incident WHERE owner IS NOT NULL
UNION ALL
SELECT tenant, number, 'participant:' || it.value
FROM incident, json_each(incident, '$.participants') AS it
UNION ALL
SELECT tenant, number, kind.word || (held.value ->> '$.person')
FROM incident, json_each(incident, '$.crew.holdings') AS held
    CROSS JOIN (SELECT 'holder:' AS word UNION ALL SELECT 'participant:') AS kind
WHERE held.value ->> '$.renounced_at' IS NULL;

-- Among all that is found by its words, incidents have a word of their own.
UPDATE knowledge_text SET scope = scope || ' incident'
WHERE rowid IN (SELECT id FROM knowledge WHERE kind = 'incident');
