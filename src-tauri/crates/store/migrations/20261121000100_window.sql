-- The inbox of the window, and what was said already, so that a change of state is told once.

CREATE TABLE notices (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    facts      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    read_at    INTEGER
);
CREATE INDEX notices_unread ON notices (id) WHERE read_at IS NULL;

ALTER TABLE code_repositories ADD COLUMN told_unreachable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE registry_credentials ADD COLUMN told_refused INTEGER NOT NULL DEFAULT 0;
