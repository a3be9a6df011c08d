-- Builds whose end is written and not told yet: the inbox gets it with the row's removal, at once or at the next start.
CREATE TABLE untold_ends (
    build_id INTEGER PRIMARY KEY NOT NULL REFERENCES builds (id) ON DELETE CASCADE
);
