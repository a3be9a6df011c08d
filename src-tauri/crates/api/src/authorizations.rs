//! Commands on the ways into a code host: authorizing in the browser or with a code, and the OAuth applications for it.

use crate::accounts::{AuthorizedAccount, HostForm, needs};
use crate::system::{Nothing, SecretText};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::accounts::{ApplicationInput, AuthorizationState, AuthorizeInput, AuthorizeWay};
use slipway_core::Failure;
use slipway_core::host::{DeviceCode, HostBase, HostProvider, Need, PageLanguage};
use slipway_core::ids::SourceAccountId;
use ts_rs::TS;

/// Begins to authorize.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "BeginAuthorization")]
pub struct BeginRequest {
    /// Where.
    pub host: HostForm,
    /// What the account is wanted for; to read when left out.
    #[serde(default)]
    #[ts(optional)]
    pub needs: Option<Vec<Need>>,
    /// The way in.
    pub way: AuthorizeWayForm,
    /// The language of the page that the browser ends on.
    pub language: PageLanguage,
    /// The account that is authorized again; its own host and needs count then.
    #[serde(default)]
    #[ts(optional)]
    pub again: Option<SourceAccountId>,
}

/// The way in.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuthorizeWayForm {
    /// The system browser, which comes back to this machine.
    Browser,
    /// A code that is typed on another page.
    Device,
    /// First a GitHub App of one's own is made, with the least rights.
    GithubApp {
        /// Its name at GitHub.
        name: String,
        /// The organization that owns it; the person when left out.
        #[serde(default)]
        #[ts(optional)]
        organization: Option<String>,
    },
}

/// A session that waits for a person.
#[derive(Debug, Serialize, TS)]
pub struct AuthorizationBegunView {
    /// Names the session.
    pub session: u32,
    /// The page to open in the system browser.
    pub page: String,
    /// What to type there, in the device flow.
    pub device: Option<DeviceCode>,
}

/// Names a session.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichAuthorization")]
pub struct WhichSession {
    /// Which.
    pub session: u32,
}

/// How a session stands.
#[derive(Debug, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuthorizationStateView {
    /// Nobody has decided yet.
    Waiting,
    /// The account is there.
    Done {
        /// Which.
        account: AuthorizedAccount,
    },
    /// The GitHub App is there; it is installed on repositories next, then authorized.
    AppMade {
        /// The page where it is installed.
        install_page: String,
    },
    /// The person said no.
    Denied,
    /// Nobody came back in time.
    Expired,
    /// It was cancelled here.
    Cancelled,
    /// It went wrong.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// An OAuth application that a person registered.
#[derive(Debug, Serialize, TS)]
pub struct OauthApplicationView {
    /// What runs at the host.
    pub provider: HostProvider,
    /// Where the host lives.
    pub base_url: HostBase,
    /// Its id at the host.
    pub client_id: String,
    /// A secret is stored.
    pub has_secret: bool,
    /// The port of the registered redirect address, where the host compares it.
    pub redirect_port: Option<u16>,
    /// The page where a GitHub App is installed on repositories.
    pub install_page: Option<String>,
}

/// Sets the OAuth application of a host.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SaveOauthApplication")]
pub struct SaveApplicationRequest {
    /// Where.
    pub host: HostForm,
    /// Its id at the host.
    pub client_id: String,
    /// Its secret, where the host wants one; left out it keeps the stored one while the id stays.
    #[serde(default)]
    #[ts(optional)]
    pub client_secret: Option<SecretText>,
    /// The port of the registered redirect address, where the host compares it.
    #[serde(default)]
    #[ts(optional)]
    pub redirect_port: Option<u16>,
}

impl From<AuthorizationState> for AuthorizationStateView {
    fn from(state: AuthorizationState) -> Self {
        match state {
            AuthorizationState::Waiting => Self::Waiting,
            AuthorizationState::Done(account) => Self::Done { account: account.into() },
            AuthorizationState::AppMade { install_page } => Self::AppMade { install_page },
            AuthorizationState::Denied => Self::Denied,
            AuthorizationState::Expired => Self::Expired,
            AuthorizationState::Cancelled => Self::Cancelled,
            AuthorizationState::Failed(failure) => Self::Failed { failure },
        }
    }
}

pub(crate) async fn begin(app: &Slipway, request: BeginRequest) -> Result<AuthorizationBegunView, Failure> {
    let way = match request.way {
        AuthorizeWayForm::Browser => AuthorizeWay::Browser,
        AuthorizeWayForm::Device => AuthorizeWay::Device,
        AuthorizeWayForm::GithubApp { name, organization } => AuthorizeWay::GithubApp { name, organization },
    };
    let begun = app
        .begin_authorization(AuthorizeInput {
            host: request.host.into(),
            needs: needs(request.needs),
            way,
            language: request.language,
            again: request.again,
        })
        .await?;
    Ok(AuthorizationBegunView { session: begun.session, page: begun.page, device: begun.device })
}

pub(crate) async fn state(app: &Slipway, request: WhichSession) -> Result<AuthorizationStateView, Failure> {
    Ok(app.authorization(request.session)?.into())
}

pub(crate) async fn cancel(app: &Slipway, request: WhichSession) -> Result<Nothing, Failure> {
    app.cancel_authorization(request.session);
    Ok(Nothing {})
}

pub(crate) async fn applications(app: &Slipway, _: Nothing) -> Result<Vec<OauthApplicationView>, Failure> {
    let found = app.oauth_applications().await?.into_iter();
    let view =
        |(provider, base_url, one): (HostProvider, HostBase, slipway_store::OauthApplication)| OauthApplicationView {
            provider,
            base_url,
            client_id: one.client_id,
            has_secret: one.client_secret.is_some(),
            redirect_port: one.redirect_port,
            install_page: one.install_page,
        };
    Ok(found.map(view).collect())
}

pub(crate) async fn save_application(app: &Slipway, request: SaveApplicationRequest) -> Result<Nothing, Failure> {
    let input = ApplicationInput {
        client_id: request.client_id,
        client_secret: request.client_secret.map(Into::into),
        redirect_port: request.redirect_port,
    };
    app.save_oauth_application(&request.host.into(), &input).await?;
    Ok(Nothing {})
}

pub(crate) async fn delete_application(app: &Slipway, request: HostForm) -> Result<Nothing, Failure> {
    app.delete_oauth_application(&request.into()).await?;
    Ok(Nothing {})
}
