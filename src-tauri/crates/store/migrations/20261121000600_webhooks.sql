-- Webhooks at code hosts. Conventions as in the first migration.

CREATE TABLE webhooks (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    -- What a delivery wakes; none once it was removed.
    code_repository_id INTEGER REFERENCES code_repositories (id) ON DELETE SET NULL,
    -- Whose token makes and removes it; none once it was unbound: then only a person can remove it.
    account_id         INTEGER REFERENCES source_accounts (id) ON DELETE SET NULL,
    provider           TEXT NOT NULL,
    base_url           TEXT NOT NULL,
    repository         TEXT NOT NULL,
    -- The last part of its address, which nobody guesses. What counts is the signature.
    path               TEXT NOT NULL UNIQUE,
    secret             INTEGER NOT NULL REFERENCES secrets (id),
    wanted             INTEGER NOT NULL DEFAULT 1,
    -- Where the host was asked to deliver to; written before it is asked.
    url                TEXT,
    -- The host's id of it.
    hook               TEXT,
    vanished           INTEGER NOT NULL DEFAULT 0,
    active             INTEGER NOT NULL DEFAULT 1,
    created_at         INTEGER NOT NULL,
    checked_at         INTEGER,
    last_failure       TEXT,
    delivered          INTEGER NOT NULL DEFAULT 0,
    last_delivery_at   INTEGER,
    refused            INTEGER NOT NULL DEFAULT 0,
    last_refusal       TEXT,
    last_refused_at    INTEGER
);
CREATE UNIQUE INDEX webhooks_of_code ON webhooks (code_repository_id) WHERE wanted = 1;

-- Deliveries that were taken, so that none is taken twice.
CREATE TABLE webhook_deliveries (
    webhook_id INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    replay_key TEXT NOT NULL,
    seen_at    INTEGER NOT NULL,
    PRIMARY KEY (webhook_id, replay_key)
) WITHOUT ROWID;
