-- Image triggers. Conventions as in the first migration.

-- What firings bring images to. A row outlives the triggers on it: it holds the pin, the history hangs on it.
CREATE TABLE targets (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key        TEXT NOT NULL UNIQUE,
    target     TEXT NOT NULL,
    pin        TEXT,
    created_at INTEGER NOT NULL
);

CREATE TABLE triggers (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES image_repositories (id) ON DELETE CASCADE,
    target_id     INTEGER NOT NULL REFERENCES targets (id),
    name          TEXT NOT NULL COLLATE NOCASE,
    spec          TEXT NOT NULL,
    enabled       INTEGER NOT NULL,
    -- Events up to this one do not fire it: they were seen before it was there, or while it was off.
    seen_event    INTEGER NOT NULL DEFAULT 0,
    deleted_at    INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
);
CREATE UNIQUE INDEX triggers_name ON triggers (name) WHERE deleted_at IS NULL;
CREATE INDEX triggers_repository ON triggers (repository_id);
CREATE INDEX triggers_target ON triggers (target_id);

-- What each watched tag held when it was seen last.
CREATE TABLE known_tags (
    repository_id INTEGER NOT NULL REFERENCES image_repositories (id) ON DELETE CASCADE,
    tag           TEXT NOT NULL,
    digest        TEXT,
    image_id      TEXT,
    ours          INTEGER NOT NULL,
    checked_at    INTEGER NOT NULL,
    PRIMARY KEY (repository_id, tag)
) WITHOUT ROWID;

-- How looking at a repository's tags goes. `wanted` is counted up when a look may show tags that were there before: those
-- found by the look that reaches it are recorded and fire nothing.
CREATE TABLE tag_watches (
    repository_id INTEGER PRIMARY KEY NOT NULL REFERENCES image_repositories (id) ON DELETE CASCADE,
    wanted        INTEGER NOT NULL DEFAULT 1,
    reached       INTEGER NOT NULL DEFAULT 0,
    failures      INTEGER NOT NULL DEFAULT 0,
    next_look_at  INTEGER,
    last_ok_at    INTEGER,
    last_failure  TEXT
);

-- A tag was created or updated, or a person chose an image (perhaps of no repository of ours). Observation ids stand without a foreign key, as in builds.
CREATE TABLE tag_events (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id    INTEGER REFERENCES image_repositories (id) ON DELETE CASCADE,
    tag              TEXT,
    source           TEXT NOT NULL,
    build_id         INTEGER REFERENCES builds (id) ON DELETE SET NULL,
    observation_id   INTEGER,
    digest           TEXT,
    image_id         TEXT,
    content_identity TEXT,
    observed_at      INTEGER NOT NULL,
    -- The triggers have been asked.
    handled          INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX tag_events_build ON tag_events (build_id, tag) WHERE build_id IS NOT NULL;
CREATE INDEX tag_events_open ON tag_events (id) WHERE handled = 0;
CREATE INDEX tag_events_repository ON tag_events (repository_id, tag, id);

CREATE TABLE firings (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    kind             TEXT NOT NULL,
    target_id        INTEGER NOT NULL REFERENCES targets (id),
    target           TEXT NOT NULL,
    repository_id    INTEGER REFERENCES image_repositories (id) ON DELETE CASCADE,
    trigger_id       INTEGER REFERENCES triggers (id) ON DELETE SET NULL,
    trigger_name     TEXT,
    condition        TEXT,
    gate             TEXT NOT NULL,
    event_id         INTEGER NOT NULL,
    observation_id   INTEGER,
    build_id         INTEGER REFERENCES builds (id) ON DELETE SET NULL,
    source           TEXT NOT NULL,
    tag              TEXT,
    image            TEXT NOT NULL,
    back_to          INTEGER,
    state            TEXT NOT NULL,
    step             TEXT,
    attempt          INTEGER NOT NULL DEFAULT 0,
    not_before       INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    observed_at      INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    ended_at         INTEGER,
    plan             TEXT,
    outcome          TEXT,
    reason           TEXT,
    failure          TEXT
);
-- At most one effect of an event through a trigger.
CREATE UNIQUE INDEX firings_one_effect ON firings (trigger_id, event_id) WHERE kind = 'trigger';
CREATE INDEX firings_not_final ON firings (id) WHERE state IN ('waiting', 'running');
CREATE INDEX firings_target ON firings (target_id, id);
CREATE INDEX firings_list ON firings (repository_id, id);
CREATE INDEX firings_trigger ON firings (trigger_id, id) WHERE trigger_id IS NOT NULL;
CREATE INDEX firings_build ON firings (build_id, id) WHERE build_id IS NOT NULL;

-- The steps of an attempt, each before and after.
CREATE TABLE firing_journal (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    firing_id INTEGER NOT NULL REFERENCES firings (id) ON DELETE CASCADE,
    attempt   INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    entry     TEXT NOT NULL
);
CREATE INDEX firing_journal_of ON firing_journal (firing_id, attempt, id);

CREATE TABLE firing_lines (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    firing_id INTEGER NOT NULL REFERENCES firings (id) ON DELETE CASCADE,
    at        INTEGER NOT NULL,
    text      TEXT NOT NULL
);
CREATE INDEX firing_lines_of ON firing_lines (firing_id, id);
