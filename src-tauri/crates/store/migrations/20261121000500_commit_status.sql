-- Builds that the code host is told about. What to tell stands in the build's row; here stands what was told.
CREATE TABLE commit_reports (
    build_id    INTEGER PRIMARY KEY NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    -- The report's name at the host: as the rule and its repository were called when the build was made.
    context     TEXT NOT NULL,
    reported    TEXT,
    reported_at INTEGER,
    -- What the host gave for the next report of the same build.
    handle      TEXT,
    attempt     INTEGER NOT NULL DEFAULT 0,
    next_try_at INTEGER,
    failure     TEXT,
    -- Nothing more is told: the end was told, the host refused, or a later build took its place.
    closed      TEXT
);
CREATE INDEX commit_reports_open ON commit_reports (build_id) WHERE closed IS NULL;
