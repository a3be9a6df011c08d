-- Source accounts. Conventions as in the first migration.

CREATE TABLE source_accounts (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    provider         TEXT NOT NULL,
    base_url         TEXT NOT NULL,
    ca_pem           TEXT,
    -- The host's own id of the account: the same after a rename.
    host_id          TEXT NOT NULL,
    login            TEXT NOT NULL,
    name             TEXT NOT NULL,
    token_kind       TEXT NOT NULL,
    needs            TEXT NOT NULL,
    granted          TEXT NOT NULL,
    missing          TEXT NOT NULL,
    expires_at       INTEGER,
    tokens           INTEGER NOT NULL REFERENCES secrets (id),
    -- The OAuth application that the tokens came from.
    client_id        TEXT,
    client_secret    INTEGER REFERENCES secrets (id),
    redirect_port    INTEGER,
    created_at       INTEGER NOT NULL,
    authorized_at    INTEGER NOT NULL,
    last_check_at    INTEGER,
    last_ok_at       INTEGER,
    last_failure     TEXT,
    -- Why its rules are paused; nothing is looked at with it until somebody authorizes again.
    paused           TEXT,
    -- The cheap look of "what moved".
    mark             TEXT,
    looked_at        INTEGER,
    next_look_at     INTEGER,
    rate             TEXT,
    UNIQUE (provider, base_url, host_id)
);

-- Code that an account opens. The host's name of the account stays when it is unbound, so that authorizing again finds it.
ALTER TABLE code_repositories ADD COLUMN account_id INTEGER REFERENCES source_accounts (id) ON DELETE SET NULL;
ALTER TABLE code_repositories ADD COLUMN account_key TEXT;
ALTER TABLE code_repositories ADD COLUMN account_path TEXT;
ALTER TABLE code_repositories ADD COLUMN account_repository TEXT;
CREATE INDEX code_repositories_account ON code_repositories (account_id, account_repository) WHERE account_id IS NOT NULL;

-- OAuth applications that a person registered at a host.
CREATE TABLE oauth_applications (
    provider      TEXT NOT NULL,
    base_url      TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    client_secret INTEGER REFERENCES secrets (id),
    redirect_port INTEGER,
    install_page  TEXT,
    PRIMARY KEY (provider, base_url)
) WITHOUT ROWID;
