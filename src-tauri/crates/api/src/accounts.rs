//! Commands on source accounts: authorized logins at code hosts. Tokens go in and never come out.

use crate::system::{Nothing, SecretText};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::accounts::{AccountDetail, AccountPage, Authorized, HostInput, TokenInput};
use slipway_core::Failure;
use slipway_core::code::RefKind;
use slipway_core::host::{
    Granted, HostBase, HostFacts, HostGuide, HostOwner, HostProvider, HostRef, HostRepository, Need, PageMark,
    RateState, RepositoryPath, Revocation, TokenKind,
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
    /// Seconds since the host was asked last.
    pub checked_seconds_ago: Option<i64>,
    /// Seconds until it is asked what moved; none while nothing waits for it.
    pub next_in_seconds: Option<i64>,
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
        let AccountDetail { record, code, rules, checked_seconds_ago, next_in_seconds } = detail;
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
            checked_seconds_ago,
            next_in_seconds,
        }
    }
}

fn named(code: Vec<(CodeRepositoryId, String)>) -> Vec<NamedCode> {
    code.into_iter().map(|(id, name)| NamedCode { id, name }).collect()
}

pub(crate) fn needs(needs: Option<Vec<Need>>) -> Vec<Need> {
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
