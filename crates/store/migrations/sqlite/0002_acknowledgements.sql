-- Who works on an alert, and the group key that a page carried.

CREATE TABLE acknowledgement (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL, -- of the alert
    acknowledgement TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

ALTER TABLE notification_log ADD COLUMN page_key TEXT;
