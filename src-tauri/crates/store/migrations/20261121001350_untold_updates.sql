-- Updates whose end is written and not told yet, as untold_ends has the builds.
CREATE TABLE untold_updates (
    firing_id INTEGER PRIMARY KEY NOT NULL REFERENCES firings (id) ON DELETE CASCADE
);
