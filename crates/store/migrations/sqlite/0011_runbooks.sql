-- What an incident's alerts said of a runbook is a document of that incident: it is found by those
-- who may see it, and does not take the place of what others said.

UPDATE knowledge SET key = incident || ' ' || key WHERE kind = 'runbook' AND incident IS NOT NULL;

CREATE INDEX knowledge_by_incident ON knowledge (tenant, incident, kind);

-- How often incidents of some time share a trait.
CREATE INDEX incident_trait_by_incident ON incident_trait (tenant, incident, trait);
