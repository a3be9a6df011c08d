-- Notification channels. Conventions as in the first migration.

CREATE TABLE channels (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL UNIQUE,
    kind          TEXT NOT NULL,
    -- The address is a key by itself: sealed as a whole, only its host is shown.
    address       INTEGER NOT NULL REFERENCES secrets (id),
    host          TEXT NOT NULL,
    secret        INTEGER REFERENCES secrets (id),
    allow_private INTEGER NOT NULL DEFAULT 0,
    events        TEXT NOT NULL,
    enabled       INTEGER NOT NULL DEFAULT 1,
    created_at    INTEGER NOT NULL,
    sent_at       INTEGER,
    -- The last message that was given up, until one arrives.
    failure       TEXT,
    failed_at     INTEGER
);

-- What channels are to be told and were not yet: a row goes when its message was taken or given up.
CREATE TABLE channel_messages (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id  INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    message     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    attempt     INTEGER NOT NULL DEFAULT 0,
    next_try_at INTEGER,
    failure     TEXT
);
CREATE INDEX channel_messages_of ON channel_messages (channel_id, id);
