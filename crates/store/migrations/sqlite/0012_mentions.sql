-- Comments of incidents that name somebody, in the order in which they were written.
CREATE TABLE incident_mention (
    id INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    person TEXT NOT NULL,
    incident INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX incident_mention_of ON incident_mention (tenant, person, incident, seq);

CREATE INDEX incident_mention_by_person ON incident_mention (tenant, person, id);

-- What was there before.
INSERT INTO incident_mention (tenant, person, incident, seq)
SELECT incident_entry.tenant, named.value, incident_entry.incident, incident_entry.seq
FROM incident_entry, json_each(incident_entry.entry, '$.mentions') AS named
WHERE json_extract(incident_entry.entry, '$.kind') = 'commented'
ORDER BY json_extract(incident_entry.entry, '$.recorded_at'), incident_entry.incident,
         incident_entry.seq;
