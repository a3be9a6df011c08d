//! What names the sealed secrets, and those that nothing names.

use crate::row::Columns;
use crate::{Store, StoreError};
use slipway_core::health::SecretOwner;
use slipway_core::ids::{
    ChannelId, CodeRepositoryId, CredentialId, ImageRepositoryId, RegistryId, RuleId, SecretId, SourceAccountId,
    TriggerId, WebhookId,
};
use sqlx::sqlite::SqliteRow;

/// Every place that names a secret. Inside JSON a secret's id is a number under one of these names; a number that means
/// something else under the same name only keeps a secret too long.
const REMOVE_UNNAMED: &str = "\
    DELETE FROM secrets WHERE id NOT IN (SELECT tokens FROM source_accounts \
    UNION SELECT client_secret FROM source_accounts WHERE client_secret IS NOT NULL \
    UNION SELECT client_secret FROM oauth_applications WHERE client_secret IS NOT NULL \
    UNION SELECT secret FROM webhooks \
    UNION SELECT address FROM channels \
    UNION SELECT secret FROM channels WHERE secret IS NOT NULL \
    UNION SELECT j.atom FROM ( \
        SELECT location AS text FROM code_repositories \
        UNION ALL SELECT source FROM registry_credentials \
        UNION ALL SELECT spec FROM build_rules \
        UNION ALL SELECT inputs FROM builds WHERE inputs LIKE '%\"secret\":%' \
        UNION ALL SELECT value FROM settings \
        UNION ALL SELECT target FROM targets \
        UNION ALL SELECT spec FROM triggers \
        UNION ALL SELECT target FROM firings WHERE target LIKE '%\"webhook\"%') AS one, json_tree(one.text) AS j \
    WHERE j.type = 'integer' AND j.key IN ('secret', 'password', 'signing_secret', 'value'))";

/// The secrets that a person may have to enter again, with what they belong to.
const OWNED: &str = "\
    SELECT c.id, 'code_repository' AS kind, json_extract(c.location, '$.password') AS secret, c.name, NULL AS parent, \
        NULL AS more FROM code_repositories c WHERE json_extract(c.location, '$.password') IS NOT NULL \
    UNION ALL SELECT id, 'source_account', tokens, login, NULL, base_url FROM source_accounts \
    UNION ALL SELECT 0, 'oauth_application', client_secret, base_url, NULL, NULL FROM oauth_applications \
        WHERE client_secret IS NOT NULL \
    UNION ALL SELECT c.id, 'credential', json_extract(c.source, '$.secret'), c.name, r.id, r.name \
        FROM registry_credentials c JOIN registries r ON r.id = c.registry_id \
        WHERE json_extract(c.source, '$.secret') IS NOT NULL \
    UNION ALL SELECT r.id, 'rule', j.atom, r.name, r.repository_id, NULL FROM build_rules r, json_tree(r.spec) AS j \
        WHERE r.deleted_at IS NULL AND j.key = 'secret' AND j.type = 'integer' \
    UNION ALL SELECT t.id, 'trigger', j.atom, t.name, t.repository_id, NULL FROM triggers t \
        JOIN targets g ON g.id = t.target_id, json_tree(g.target) AS j \
        WHERE t.deleted_at IS NULL AND j.type = 'integer' AND j.key IN ('signing_secret', 'value') \
    UNION ALL SELECT id, 'webhook', secret, repository, NULL, NULL FROM webhooks WHERE wanted = 1 \
    UNION ALL SELECT id, 'channel', address, name, NULL, NULL FROM channels \
    UNION ALL SELECT id, 'channel', secret, name, NULL, NULL FROM channels WHERE secret IS NOT NULL \
    UNION ALL SELECT 0, 'code_proxy', json_extract(value, '$.code_proxy.password'), '', NULL, NULL FROM settings \
        WHERE key = 'application' AND json_extract(value, '$.code_proxy.password') IS NOT NULL \
    UNION ALL SELECT 0, 'registry_proxy', json_extract(value, '$.registry_proxy.password'), '', NULL, NULL FROM settings \
        WHERE key = 'application' AND json_extract(value, '$.registry_proxy.password') IS NOT NULL";

fn owner(row: &SqliteRow) -> Result<(SecretId, SecretOwner), StoreError> {
    let (id, name) = (row.int("id")?, row.text("name")?);
    let parent = || row.int("parent");
    let owner = match row.text("kind")?.as_str() {
        "code_repository" => SecretOwner::CodeRepository { id: CodeRepositoryId(id), name },
        "source_account" => SecretOwner::SourceAccount { id: SourceAccountId(id), name, host: row.text("more")? },
        "oauth_application" => SecretOwner::OauthApplication { host: name },
        "credential" => SecretOwner::Credential {
            id: CredentialId(id),
            registry: RegistryId(parent()?),
            name,
            registry_name: row.text("more")?,
        },
        "rule" => SecretOwner::Rule { id: RuleId(id), repository: ImageRepositoryId(parent()?), name },
        "trigger" => SecretOwner::Trigger { id: TriggerId(id), repository: ImageRepositoryId(parent()?), name },
        "webhook" => SecretOwner::Webhook { id: WebhookId(id), name },
        "channel" => SecretOwner::Channel { id: ChannelId(id), name },
        "code_proxy" => SecretOwner::CodeProxy,
        _ => SecretOwner::RegistryProxy,
    };
    Ok((SecretId(row.int("secret")?), owner))
}

impl Store {
    /// Returns the secrets that a person entered, with what each belongs to.
    ///
    /// # Errors
    /// As every read.
    pub async fn secret_owners(&self) -> Result<Vec<(SecretId, SecretOwner)>, StoreError> {
        sqlx::query(OWNED).fetch_all(self.read()).await?.iter().map(owner).collect()
    }

    /// Removes the secrets that nothing names: a kill between sealing one and naming it leaves it behind. Returns how many
    /// there were. Only while nobody enters secrets: at start.
    ///
    /// # Errors
    /// As every write.
    pub async fn remove_unnamed_secrets(&self) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let removed = sqlx::query(REMOVE_UNNAMED).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(removed.rows_affected())
    }
}
