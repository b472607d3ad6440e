-- What was sent and never confirmed, so that its end is told as well.

ALTER TABLE notification_log ADD COLUMN doubted BLOB NOT NULL DEFAULT x''; -- fingerprints
