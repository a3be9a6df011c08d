//! Commands on source accounts: authorized logins at code hosts. Tokens go in and never come out.

use crate::system::{Nothing, SecretText};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::accounts::{
    AccountDetail, AccountPage, ApplicationInput, AuthorizationState, AuthorizeInput, AuthorizeWay, Authorized,
    HostInput, TokenInput,
};
use slipway_core::Failure;
use slipway_core::code::RefKind;
use slipway_core::host::{
    DeviceCode, Granted, HostBase, HostFacts, HostGuide, HostOwner, HostProvider, HostRef, HostRepository, Need,
    PageLanguage, PageMark, RateState, RepositoryPath, Revocation, TokenKind,
};
use slipway_core::ids::{CodeRepositoryId, SourceAccountId};
use slipway_core::notice::NoticedRule;
use ts_rs::TS;

/// A code host as it is typed.
#[derive(Debug, Deserialize, TS)]
pub struct HostForm {
    /// What runs there.
    pub provider: HostProvider,
    /// Its address; left out it is the provider's public service.
    #[serde(default)]
    #[ts(optional)]
    pub base_url: Option<String>,
    /// Certificates of an own authority, PEM.
    #[serde(default)]
    #[ts(optional)]
    pub ca_pem: Option<String>,
    /// The consent to plain HTTP.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub allow_plain_http: bool,
}

/// Asks what a host wants before it lets somebody in.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AskAccountGuide")]
pub struct GuideRequest {
    /// Where.
    pub host: HostForm,
    /// What the account is wanted for; to read when left out.
    #[serde(default)]
    #[ts(optional)]
    pub needs: Option<Vec<Need>>,
}

/// What to tell a person who connects an account.
#[derive(Debug, Serialize, TS)]
pub struct AccountGuideView {
    /// Links, scopes and what a registration needs.
    pub guide: HostGuide,
    /// The address as it would be stored.
    pub base_url: HostBase,
    /// The id of the OAuth application that was registered there; its secret stays inside.
    pub client_id: Option<String>,
    /// The page where the GitHub App that was made is installed on repositories.
    pub install_page: Option<String>,
}

/// Connects an account with a pasted token.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AddAccountWithToken")]
pub struct AddWithTokenRequest {
    /// Where.
    pub host: HostForm,
    /// The token.
    pub token: TokenForm,
    /// What the account is wanted for; to read when left out.
    #[serde(default)]
    #[ts(optional)]
    pub needs: Option<Vec<Need>>,
}

/// A token as it is pasted.
#[derive(Debug, Deserialize, TS)]
pub struct TokenForm {
    /// The token; goes in and never comes out.
    pub token: SecretText,
    /// The name that some hosts want beside it.
    #[serde(default)]
    #[ts(optional)]
    pub username: Option<String>,
    /// It belongs to a repository, project or workspace and names no person.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub is_resource: bool,
}

/// Gives an account another token of the same person.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ReauthorizeAccount")]
pub struct ReauthorizeRequest {
    /// Which account.
    pub id: SourceAccountId,
    /// The token.
    pub token: TokenForm,
}

/// An account that was just authorized.
#[derive(Debug, Serialize, TS)]
pub struct AuthorizedAccount {
    /// Its id.
    pub id: SourceAccountId,
    /// The same person at the same host was connected already: rules stay, the old tokens are forgotten.
    pub renewed: bool,
    /// Its login name.
    pub login: String,
}

/// An account with its health and what hangs on it.
#[derive(Debug, Serialize, TS)]
pub struct AccountView {
    /// Its id.
    pub id: SourceAccountId,
    /// What runs at the host.
    pub provider: HostProvider,
    /// Where the host lives.
    pub base_url: HostBase,
    /// Certificates of an own authority, PEM.
    pub ca_pem: Option<String>,
    /// The login name.
    pub login: String,
    /// The name for people.
    pub name: String,
    /// How the token came about.
    pub token_kind: TokenKind,
    /// What it is wanted for.
    pub needs: Vec<Need>,
    /// What was granted.
    pub granted: Granted,
    /// Asked for and not granted.
    pub missing: Vec<String>,
    /// When the token ends; one that is refreshed by itself has no end for a person.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was authorized last.
    pub authorized_at: DateTime<Utc>,
    /// When it was asked for last, with whatever result.
    pub last_check_at: Option<DateTime<Utc>>,
    /// When the host last answered well.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// What the host answered last, when that was a failure.
    pub last_failure: Option<Failure>,
    /// Why its rules are paused; authorizing again resumes them.
    pub paused: Option<Failure>,
    /// The host's budget, as its last answer told.
    pub rate: Option<RateState>,
    /// Code repositories that it opens.
    pub code: Vec<NamedCode>,
    /// Rules over them.
    pub rules: Vec<NoticedRule>,
}

/// A code repository by name.
#[derive(Debug, Serialize, TS)]
pub struct NamedCode {
    /// Its id.
    pub id: CodeRepositoryId,
    /// Its name.
    pub name: String,
}

/// Names an account.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichAccount")]
pub struct Which {
    /// Which.
    pub id: SourceAccountId,
}

/// Changes an account.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "EditAccount")]
pub struct EditRequest {
    /// Which.
    pub id: SourceAccountId,
    /// Certificates of an own authority, PEM; none when left out.
    #[serde(default)]
    #[ts(optional)]
    pub ca_pem: Option<String>,
}

/// What unbinding an account would stop.
#[derive(Debug, Serialize, TS)]
pub struct AccountRemovalView {
    /// Code repositories that nobody opens any more.
    pub code: Vec<NamedCode>,
    /// Rules that stop.
    pub rules: Vec<NoticedRule>,
    /// The token is taken back at the host; otherwise the person does it on the page.
    pub can_revoke: bool,
    /// The host's page of authorized applications or tokens.
    pub revoke_page: String,
}

/// Asks for repositories of an owner.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ListAccountRepositories")]
pub struct RepositoriesRequest {
    /// Which account.
    pub id: SourceAccountId,
    /// Whose, as `accounts.organizations` gave it.
    pub owner: HostOwner,
    /// Part of the name.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub search: String,
    /// Where to go on.
    #[serde(default)]
    #[ts(optional)]
    pub page: Option<PageMark>,
}

/// Asks for branches or tags of a repository.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ListAccountBranches")]
pub struct BranchesRequest {
    /// Which account.
    pub id: SourceAccountId,
    /// Which repository.
    pub path: RepositoryPath,
    /// Branches when left out.
    #[serde(default)]
    #[ts(optional)]
    pub kind: Option<RefKind>,
    /// Part of the name.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub search: String,
    /// Where to go on.
    #[serde(default)]
    #[ts(optional)]
    pub page: Option<PageMark>,
}

/// A page of repositories.
#[derive(Debug, Serialize, TS)]
pub struct AccountRepositories {
    /// In the host's order, the last pushed first where it can.
    pub items: Vec<HostRepository>,
    /// Where the next page begins.
    pub next: Option<PageMark>,
}

/// A page of branches or tags.
#[derive(Debug, Serialize, TS)]
pub struct AccountRefs {
    /// In the host's order.
    pub items: Vec<HostRef>,
    /// Where the next page begins.
    pub next: Option<PageMark>,
}

impl From<HostForm> for HostInput {
    fn from(form: HostForm) -> Self {
        Self {
            provider: form.provider,
            base_url: form.base_url,
            ca_pem: form.ca_pem,
            allow_plain_http: form.allow_plain_http,
        }
    }
}

impl From<TokenForm> for TokenInput {
    fn from(form: TokenForm) -> Self {
        Self { token: form.token.into(), username: form.username, is_resource: form.is_resource }
    }
}

impl From<Authorized> for AuthorizedAccount {
    fn from(authorized: Authorized) -> Self {
        Self { id: authorized.id, renewed: authorized.renewed, login: authorized.login }
    }
}

impl From<AccountDetail> for AccountView {
    fn from(detail: AccountDetail) -> Self {
        let AccountDetail { record, code, rules } = detail;
        Self {
            id: record.id,
            provider: record.provider,
            base_url: record.base,
            ca_pem: record.ca_pem,
            login: record.login,
            name: record.name,
            token_kind: record.token_kind,
            needs: record.needs,
            granted: record.granted,
            missing: record.missing,
            expires_at: record.expires_at,
            authorized_at: record.authorized_at,
            last_check_at: record.last_check_at,
            last_ok_at: record.last_ok_at,
            last_failure: record.last_failure,
            paused: record.paused,
            rate: record.rate,
            code: named(code),
            rules,
        }
    }
}

fn named(code: Vec<(CodeRepositoryId, String)>) -> Vec<NamedCode> {
    code.into_iter().map(|(id, name)| NamedCode { id, name }).collect()
}

fn needs(needs: Option<Vec<Need>>) -> Vec<Need> {
    needs.unwrap_or_else(|| vec![Need::Read])
}

pub(crate) async fn guide(app: &Slipway, request: GuideRequest) -> Result<AccountGuideView, Failure> {
    let guide = app.account_guide(&request.host.into(), &needs(request.needs)).await?;
    let (client_id, install_page) =
        guide.application.map(|one| (Some(one.client_id), one.install_page)).unwrap_or_default();
    Ok(AccountGuideView { guide: guide.guide, base_url: guide.base, client_id, install_page })
}

pub(crate) async fn probe(app: &Slipway, request: HostForm) -> Result<HostFacts, Failure> {
    app.probe_host(&request.into()).await
}

pub(crate) async fn list(app: &Slipway, _: Nothing) -> Result<Vec<AccountView>, Failure> {
    Ok(app.accounts().await?.into_iter().map(Into::into).collect())
}

pub(crate) async fn add_with_token(app: &Slipway, request: AddWithTokenRequest) -> Result<AuthorizedAccount, Failure> {
    let needs = needs(request.needs);
    Ok(app.add_account_with_token(&request.host.into(), &request.token.into(), &needs).await?.into())
}

pub(crate) async fn reauthorize_with_token(
    app: &Slipway,
    request: ReauthorizeRequest,
) -> Result<AuthorizedAccount, Failure> {
    Ok(app.reauthorize_account_with_token(request.id, &request.token.into()).await?.into())
}

pub(crate) async fn edit(app: &Slipway, request: EditRequest) -> Result<Nothing, Failure> {
    app.edit_account(request.id, request.ca_pem.as_deref()).await?;
    Ok(Nothing {})
}

pub(crate) async fn check(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.check_account(request.id).await?;
    Ok(Nothing {})
}

pub(crate) async fn removal(app: &Slipway, request: Which) -> Result<AccountRemovalView, Failure> {
    let removal = app.account_removal(request.id).await?;
    Ok(AccountRemovalView {
        code: named(removal.code),
        rules: removal.rules,
        can_revoke: removal.can_revoke,
        revoke_page: removal.revoke_page,
    })
}

pub(crate) async fn delete(app: &Slipway, request: Which) -> Result<Revocation, Failure> {
    app.delete_account(request.id).await
}

pub(crate) async fn organizations(app: &Slipway, request: Which) -> Result<Vec<HostOwner>, Failure> {
    app.account_owners(request.id).await
}

pub(crate) async fn repositories(app: &Slipway, request: RepositoriesRequest) -> Result<AccountRepositories, Failure> {
    let page = AccountPage { search: request.search, page: request.page };
    let found = app.account_repositories(request.id, request.owner, page).await?;
    Ok(AccountRepositories { items: found.items, next: found.next })
}

pub(crate) async fn branches(app: &Slipway, request: BranchesRequest) -> Result<AccountRefs, Failure> {
    let page = AccountPage { search: request.search, page: request.page };
    let kind = request.kind.unwrap_or(RefKind::Branch);
    let found = app.account_refs(request.id, &request.path, kind, page).await?;
    Ok(AccountRefs { items: found.items, next: found.next })
}

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

pub(crate) async fn authorize_begin(app: &Slipway, request: BeginRequest) -> Result<AuthorizationBegunView, Failure> {
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

pub(crate) async fn authorize_state(app: &Slipway, request: WhichSession) -> Result<AuthorizationStateView, Failure> {
    Ok(app.authorization(request.session)?.into())
}

pub(crate) async fn authorize_cancel(app: &Slipway, request: WhichSession) -> Result<Nothing, Failure> {
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
