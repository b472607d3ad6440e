-- When people have to be reminded of something, and how often they were.

CREATE TABLE reminder (
    tenant INTEGER NOT NULL,
    subject TEXT NOT NULL, -- such as incident/142
    kind TEXT NOT NULL,
    due_at INTEGER, -- nanoseconds since 1970; NULL for not again
    reminder TEXT NOT NULL, -- JSON object
    PRIMARY KEY (tenant, subject, kind)
) STRICT, WITHOUT ROWID;
