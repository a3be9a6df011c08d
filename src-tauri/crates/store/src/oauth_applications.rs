//! `oauth_applications`: the applications that a person registered at code hosts.

use crate::row::Columns;
use crate::{Store, StoreError, secrets};
use slipway_core::host::{HostBase, HostProvider};
use slipway_core::ids::SecretId;
use sqlx::sqlite::SqliteRow;

/// An OAuth application at a host; its secret is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthApplication {
    /// Its id at the host.
    pub client_id: String,
    /// Its sealed secret.
    pub client_secret: Option<SecretId>,
    /// The port of the registered redirect address, where the host compares it.
    pub redirect_port: Option<u16>,
    /// The page where a GitHub App is installed on repositories.
    pub install_page: Option<String>,
}

/// Reads the application from a row of its own table, or from that of an account.
pub(crate) fn application(row: &SqliteRow) -> Result<Option<OauthApplication>, StoreError> {
    let Some(client_id) = row.text_of("client_id")? else { return Ok(None) };
    Ok(Some(OauthApplication {
        client_id,
        client_secret: row.int_of("client_secret")?.map(SecretId),
        redirect_port: port(row)?,
        install_page: None,
    }))
}

fn port(row: &SqliteRow) -> Result<Option<u16>, StoreError> {
    row.int_of("redirect_port")?
        .map(u16::try_from)
        .transpose()
        .map_err(|e| StoreError::BadRow { column: "redirect_port", why: e.to_string() })
}

impl Store {
    /// Returns the OAuth application that a person registered at a host.
    ///
    /// # Errors
    /// As every read.
    pub async fn oauth_application(
        &self,
        provider: HostProvider,
        base: &HostBase,
    ) -> Result<Option<OauthApplication>, StoreError> {
        let row = sqlx::query("SELECT * FROM oauth_applications WHERE provider = ? AND base_url = ?")
            .bind(provider.as_str())
            .bind(base.as_str())
            .fetch_optional(self.read())
            .await?;
        row.map(|row| {
            let install_page = row.text_of("install_page")?;
            Ok(application(&row)?.map(|application| OauthApplication { install_page, ..application }))
        })
        .transpose()
        .map(Option::flatten)
    }

    /// Returns all OAuth applications that a person registered, by host.
    ///
    /// # Errors
    /// As every read.
    pub async fn oauth_applications(&self) -> Result<Vec<(HostProvider, HostBase, OauthApplication)>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM oauth_applications ORDER BY base_url, provider").fetch_all(self.read()).await?;
        let mut found = Vec::new();
        for row in &rows {
            if let Some(one) = application(row)? {
                let one = OauthApplication { install_page: row.text_of("install_page")?, ..one };
                found.push((row.word("provider")?, row.word("base_url")?, one));
            }
        }
        Ok(found)
    }

    /// Sets the OAuth application of a host, or takes it away. A secret that is not named any more is forgotten.
    ///
    /// # Errors
    /// As every write.
    pub async fn set_oauth_application(
        &self,
        provider: HostProvider,
        base: &HostBase,
        application: Option<&OauthApplication>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let old: Option<Option<i64>> = sqlx::query_scalar(
            "DELETE FROM oauth_applications WHERE provider = ? AND base_url = ? RETURNING client_secret",
        )
        .bind(provider.as_str())
        .bind(base.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(application) = application {
            sqlx::query(
                "INSERT INTO oauth_applications (provider, base_url, client_id, client_secret, redirect_port, install_page) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(provider.as_str())
            .bind(base.as_str())
            .bind(&application.client_id)
            .bind(application.client_secret.map(|id| id.0))
            .bind(application.redirect_port)
            .bind(application.install_page.as_deref())
            .execute(&mut *tx)
            .await?;
        }
        let kept = application.and_then(|application| application.client_secret);
        secrets::forget(&mut tx, &[old.flatten().map(SecretId).filter(|old| Some(*old) != kept)]).await?;
        Ok(tx.commit().await?)
    }
}
