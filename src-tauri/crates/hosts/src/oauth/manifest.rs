//! A GitHub App from a manifest, with the least rights: contents and metadata read, commit statuses write.

use super::code::callback_path;
use super::loopback::{Bound, Loopback};
use super::page::{ManifestForm, Outcome, Pages};
use crate::transport::{Call, Link, answer_failure, with_segments};
use async_trait::async_trait;
use http::Method;
use oauth2::CsrfToken;
use reqwest::Url;
use serde::Deserialize;
use slipway_core::host::{GithubApp, HostAddress, HostProvider, OauthClient, PageLanguage, PendingManifest};
use slipway_core::{ErrorCode, Failure, Secret};
use tokio_util::sync::CancellationToken;

/// Where the browser comes back to with the code of the conversion.
const MADE: &str = "/made/github";
/// GitHub's limit for the name of an app.
const LONGEST_NAME: usize = 34;

/// Listens and makes the page that hands the manifest over.
pub(crate) async fn begin_manifest(
    address: &HostAddress,
    app_name: &str,
    organization: Option<&str>,
    language: PageLanguage,
    link: Link,
) -> Result<Box<dyn PendingManifest>, Failure> {
    if address.provider != HostProvider::Github {
        let why = "only GitHub makes an application from a manifest";
        return Err(Failure::new(ErrorCode::SourceUnsupported, why).with("host", address.base.host()));
    }
    let name: String = app_name.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    if name.is_empty() {
        return Err(Failure::new(ErrorCode::InvalidField, "the app needs a name").at("app_name"));
    }
    let base = Url::parse(address.base.as_str()).map_err(Failure::internal)?;
    let mut action = match organization {
        None => with_segments(&base, &["settings", "apps", "new"])?,
        Some(organization) => with_segments(&base, &["organizations", organization, "settings", "apps", "new"])?,
    };
    let state = CsrfToken::new_random();
    action.query_pairs_mut().append_pair("state", state.secret());

    let bound = Bound::new(None).await?;
    let callback = callback_path(address);
    // The app's own redirect goes to the registered port where GitHub compares it, and to any other where it does not.
    let fixed = super::FIXED_PORT;
    let manifest = serde_json::json!({
        "name": name,
        "url": address.base.as_str(),
        "redirect_url": bound.url(MADE),
        "callback_urls": [format!("http://127.0.0.1:{fixed}{callback}"), format!("http://127.0.0.1{callback}")],
        "public": false,
        "request_oauth_on_install": false,
        "default_permissions": { "contents": "read", "metadata": "read", "statuses": "write" },
        "default_events": [],
    });
    let form = ManifestForm {
        action: action.into(),
        origin: base.origin().ascii_serialization(),
        manifest: manifest.to_string(),
    };
    let page = bound.url("/start");
    let pages = Pages { language, host: address.base.host().to_owned(), form: Some(form) };
    let loopback = bound.serve(MADE, Secret::new(state.secret().as_str()), pages);
    Ok(Box::new(PendingApp { page, address: address.clone(), loopback, link }))
}

struct PendingApp {
    page: String,
    address: HostAddress,
    loopback: Loopback,
    link: Link,
}

/// What the conversion answers. The private key and the webhook's secret are not read: nobody here needs them.
#[derive(Deserialize)]
struct Converted {
    slug: String,
    client_id: String,
    client_secret: String,
    html_url: String,
}

#[async_trait]
impl PendingManifest for PendingApp {
    fn page(&self) -> &str {
        &self.page
    }

    async fn finish(mut self: Box<Self>, cancel: &CancellationToken) -> Result<GithubApp, Failure> {
        let arrival = self.loopback.arrival(cancel).await?;
        let code = arrival.get("code").unwrap_or_default().to_owned();
        let result = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Failure::cancelled()),
            result = self.convert(&code) => result,
        };
        arrival.end(if result.is_ok() { Outcome::AppMade } else { Outcome::Failed });
        result
    }
}

impl PendingApp {
    async fn convert(&self, code: &str) -> Result<GithubApp, Failure> {
        if code.is_empty() {
            let why = format!("{} sent the browser back without a code", self.link.host());
            return Err(Failure::new(ErrorCode::AuthorizationFailed, why).with("error", "no_code"));
        }
        let api = crate::provider::of(self.address.provider).api(&self.address.base)?;
        let url = with_segments(&api, &["app-manifests", code, "conversions"])?;
        let answer = self.link.send(&Call::new(Method::POST, url)).await?;
        if !answer.status.is_success() {
            let failure = answer_failure(&answer, None);
            return Err(match failure.code {
                // A code that was used or has ended.
                ErrorCode::SourceNotFound | ErrorCode::InvalidField => {
                    Failure { code: ErrorCode::AuthorizationFailed, ..failure }
                }
                _ => failure,
            });
        }
        let made: Converted = answer.json()?;
        let base = Url::parse(self.address.base.as_str()).map_err(Failure::internal)?;
        let is_public = self.address.base.as_str() == "https://github.com";
        let apps = if is_public { "apps" } else { "github-apps" };
        let install_page = with_segments(&base, &[apps, &made.slug, "installations", "new"])?.into();
        Ok(GithubApp {
            slug: made.slug,
            client: OauthClient {
                client_id: made.client_id,
                client_secret: Some(Secret::new(made.client_secret)),
                redirect_port: Some(super::FIXED_PORT),
            },
            html_url: made.html_url,
            install_page,
        })
    }
}
