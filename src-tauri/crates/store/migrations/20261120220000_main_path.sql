-- The tables of the main path. Times are unix milliseconds (UTC). Structured values are JSON text.
-- Ids are AUTOINCREMENT: never reused, so a greater id is a later row.

CREATE TABLE settings (
    key        TEXT PRIMARY KEY NOT NULL,
    value      TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE secrets (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    purpose    TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE code_repositories (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    name                  TEXT NOT NULL UNIQUE,
    location              TEXT NOT NULL,
    created_at            INTEGER NOT NULL,
    first_looked_at       INTEGER,
    last_check_at         INTEGER,
    last_ok_at            INTEGER,
    last_failure          TEXT,
    default_branch        TEXT,
    poll_interval_seconds INTEGER,
    next_check_at         INTEGER
);

CREATE TABLE registries (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    host       TEXT,
    plain_http INTEGER NOT NULL DEFAULT 0,
    ca_pem     TEXT,
    created_at INTEGER NOT NULL,
    CHECK ((kind = 'local_engine') = (host IS NULL))
);
CREATE UNIQUE INDEX registries_one_local_engine ON registries (kind) WHERE kind = 'local_engine';
INSERT INTO registries (name, kind, host, plain_http, ca_pem, created_at)
    VALUES ('Local engine', 'local_engine', NULL, 0, NULL, CAST(strftime('%s', 'now') AS INTEGER) * 1000);

CREATE TABLE registry_credentials (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    registry_id  INTEGER NOT NULL REFERENCES registries (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    source       TEXT NOT NULL,
    last_test_at INTEGER,
    last_test    TEXT,
    UNIQUE (registry_id, name)
);

CREATE TABLE image_repositories (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    registry_id       INTEGER NOT NULL REFERENCES registries (id),
    name              TEXT NOT NULL,
    spec              TEXT NOT NULL,
    next_build_number INTEGER NOT NULL DEFAULT 1,
    read_only_reason  TEXT,
    created_at        INTEGER NOT NULL,
    UNIQUE (registry_id, name)
);

CREATE TABLE build_rules (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id      INTEGER NOT NULL REFERENCES image_repositories (id) ON DELETE CASCADE,
    code_repository_id INTEGER REFERENCES code_repositories (id) ON DELETE SET NULL,
    name               TEXT NOT NULL,
    spec               TEXT NOT NULL,
    auto_trigger       INTEGER NOT NULL,
    deleted_at         INTEGER,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL
);
CREATE UNIQUE INDEX build_rules_name ON build_rules (repository_id, name) WHERE deleted_at IS NULL;
CREATE INDEX build_rules_code ON build_rules (code_repository_id);

CREATE TABLE observations (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    code_repository_id INTEGER NOT NULL REFERENCES code_repositories (id) ON DELETE CASCADE,
    ref_name           TEXT NOT NULL,
    object             TEXT,
    commit_id          TEXT,
    observed_at        INTEGER NOT NULL
);
CREATE INDEX observations_ref ON observations (code_repository_id, ref_name, id);
CREATE INDEX observations_code ON observations (code_repository_id, id);

CREATE TABLE rule_refs (
    rule_id             INTEGER NOT NULL REFERENCES build_rules (id) ON DELETE CASCADE,
    ref_name            TEXT NOT NULL,
    handled_observation INTEGER NOT NULL DEFAULT 0,
    built_commit        TEXT,
    built_observation   INTEGER,
    PRIMARY KEY (rule_id, ref_name)
) WITHOUT ROWID;

-- Observation ids stand here without a foreign key on purpose: they decide what is newer, also after their row is gone.
CREATE TABLE builds (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id      INTEGER NOT NULL REFERENCES image_repositories (id) ON DELETE CASCADE,
    number             INTEGER NOT NULL,
    rule_id            INTEGER REFERENCES build_rules (id) ON DELETE SET NULL,
    kind               TEXT NOT NULL,
    code_repository_id INTEGER REFERENCES code_repositories (id) ON DELETE SET NULL,
    ref_name           TEXT,
    observation_id     INTEGER,
    commit_id          TEXT,
    state              TEXT NOT NULL,
    stage              TEXT,
    engine             TEXT NOT NULL,
    attempt            INTEGER NOT NULL DEFAULT 0,
    boot_id            TEXT,
    not_before         INTEGER,
    deadline_at        INTEGER,
    cancel_requested   INTEGER NOT NULL DEFAULT 0,
    created_at         INTEGER NOT NULL,
    started_at         INTEGER,
    ended_at           INTEGER,
    image_id           TEXT,
    content_identity   TEXT,
    image_size         INTEGER,
    covered_by         INTEGER REFERENCES builds (id) ON DELETE SET NULL,
    rerun_of           INTEGER REFERENCES builds (id) ON DELETE SET NULL,
    log_lines          INTEGER NOT NULL DEFAULT 0,
    log_bytes          INTEGER NOT NULL DEFAULT 0,
    platforms          TEXT,
    tags               TEXT,
    reason             TEXT,
    failure            TEXT,
    inputs             TEXT NOT NULL,
    commit_details     TEXT,
    UNIQUE (repository_id, number)
);
-- A push is built at most once.
CREATE UNIQUE INDEX builds_one_per_push ON builds (rule_id, ref_name, observation_id) WHERE kind = 'push';
-- The queue.
CREATE INDEX builds_not_final ON builds (id) WHERE state IN ('queued', 'running', 'paused');
-- The lists: everything that can be filtered is in the index, so that counting never reads the wide rows.
CREATE INDEX builds_list ON builds (id, state, kind, repository_id, rule_id, ref_name);
CREATE INDEX builds_list_of_repository ON builds (repository_id, id, state, kind, rule_id, ref_name);
CREATE INDEX builds_list_of_rule ON builds (rule_id, id, state, kind, repository_id, ref_name);
CREATE INDEX builds_state ON builds (state, id, kind, repository_id, rule_id, ref_name);
-- For the foreign keys' own look-ups.
CREATE INDEX builds_code ON builds (code_repository_id) WHERE code_repository_id IS NOT NULL;
CREATE INDEX builds_covered_by ON builds (covered_by) WHERE covered_by IS NOT NULL;
CREATE INDEX builds_rerun_of ON builds (rerun_of) WHERE rerun_of IS NOT NULL;

-- Folded text of a build (ref, commit, message, author, rule) for "contains" in any script; the rowid is the build's id.
CREATE VIRTUAL TABLE build_search USING fts5 (text, tokenize = 'trigram', detail = 'none');
CREATE TRIGGER build_search_forget AFTER DELETE ON builds BEGIN
    DELETE FROM build_search WHERE rowid = old.id;
END;

CREATE TABLE build_stages (
    build_id   INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    stage      TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT,
    PRIMARY KEY (build_id, stage)
) WITHOUT ROWID;

CREATE TABLE build_steps (
    build_id   INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    key        TEXT NOT NULL,
    ordinal    INTEGER NOT NULL,
    name       TEXT NOT NULL,
    stage      TEXT,
    position_n INTEGER,
    position_m INTEGER,
    internal   INTEGER NOT NULL,
    started_at INTEGER,
    ended_at   INTEGER,
    cached     INTEGER NOT NULL,
    error      TEXT,
    line_from  INTEGER,
    line_to    INTEGER,
    clipped    INTEGER NOT NULL DEFAULT 0,
    warning    TEXT,
    PRIMARY KEY (build_id, key)
) WITHOUT ROWID;

CREATE TABLE publications (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    build_id   INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    tag        TEXT NOT NULL,
    target     TEXT NOT NULL,
    state      TEXT NOT NULL,
    attempt    INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER,
    digest     TEXT,
    moved_at   INTEGER,
    failure    TEXT,
    UNIQUE (build_id, tag)
);

-- Who set a tag last. Outlives the build's record, because it decides what may overwrite the tag later.
CREATE TABLE tag_moves (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id    INTEGER NOT NULL REFERENCES image_repositories (id) ON DELETE CASCADE,
    tag              TEXT NOT NULL,
    build_id         INTEGER REFERENCES builds (id) ON DELETE SET NULL,
    observation_id   INTEGER,
    digest           TEXT,
    image_id         TEXT,
    content_identity TEXT,
    changed          INTEGER NOT NULL,
    moved_at         INTEGER NOT NULL,
    UNIQUE (build_id, tag)
);
CREATE INDEX tag_moves_tag ON tag_moves (repository_id, tag, id);
