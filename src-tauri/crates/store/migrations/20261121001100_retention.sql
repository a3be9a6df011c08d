-- Retention rules of image repositories, each with how its last run went. No row, or no rule in it: nothing goes by itself.
CREATE TABLE retention (
    repository_id INTEGER PRIMARY KEY NOT NULL REFERENCES image_repositories (id) ON DELETE CASCADE,
    rule          TEXT,
    saved_at      INTEGER NOT NULL,
    last_run      TEXT
);
