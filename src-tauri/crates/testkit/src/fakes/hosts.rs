use super::{Script, hash, lock};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use slipway_core::code::{CommitDetails, CommitId, RefKind, RefName, RepoPath, TreeEntry};
use slipway_core::host::{
    CloneLogin, CodeFlow, CodeHosts, CommitReport, Delivery, DeliveryRefused, DeviceCode, GithubApp, Granted, Hook,
    HookEvent, HookEventKind, HostAccess, HostAddress, HostAuthorization, HostFacts, HostGuide, HostIdentity,
    HostOwner, HostProvider, HostRef, HostRepository, HostTokens, Moved, MovedMark, Need, NewHook, OauthClient,
    OwnerKind, Page, PageLanguage, PageMark, PendingAuthorization, PendingDevice, PendingManifest, RateState,
    RepositoryPath, RepositoryQuery, Revocation, TokenKind, WhatMoved,
};
use slipway_core::{ErrorCode, Failure, Secret};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What a fake browser or device said at the end of a flow.
type Ending = Result<HostTokens, Failure>;

/// Code hosts in memory. A token `<login>` is the login's; whatever was revoked is refused.
#[derive(Default)]
pub struct FakeHosts {
    state: Arc<State>,
}

struct State {
    script: Script,
    repositories: Mutex<BTreeMap<String, Vec<String>>>,
    refused: Mutex<Vec<String>>,
    missing: Mutex<Vec<String>>,
    moved: Mutex<VecDeque<Moved>>,
    watched: Mutex<Vec<Vec<RepositoryPath>>>,
    hanging: Mutex<Vec<String>>,
    reports: Mutex<Vec<(RepositoryPath, CommitReport)>>,
    hooks: Mutex<Vec<(RepositoryPath, Hook, Secret)>>,
    ending: watch::Sender<Option<Ending>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            script: Script::default(),
            repositories: Mutex::default(),
            refused: Mutex::default(),
            missing: Mutex::default(),
            moved: Mutex::default(),
            watched: Mutex::default(),
            hanging: Mutex::default(),
            reports: Mutex::default(),
            hooks: Mutex::default(),
            ending: watch::Sender::new(None),
        }
    }
}

impl FakeHosts {
    /// Adds a repository (`owner/name`) with branches.
    pub fn add_repository(&self, path: &str, branches: &[&str]) {
        let branches = branches.iter().map(|name| (*name).to_owned()).collect();
        lock(&self.state.repositories).insert(path.to_owned(), branches);
    }

    /// Refuses a token from now on.
    pub fn refuse(&self, token: &str) {
        lock(&self.state.refused).push(token.to_owned());
    }

    /// Takes every refusal back.
    pub fn accept_all(&self) {
        lock(&self.state.refused).clear();
    }

    /// Says that tokens lack these scopes.
    pub fn lack(&self, scopes: &[&str]) {
        *lock(&self.state.missing) = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// Sets the answer of the next cheap look; without one it cannot tell.
    pub fn next_moved(&self, moved: Moved) {
        lock(&self.state.moved).push_back(moved);
    }

    /// Lets cheap looks at the host of this address hang from now on.
    pub fn hang(&self, base: &str) {
        lock(&self.state.hanging).push(base.to_owned());
    }

    /// Which repositories each cheap look was about.
    pub fn looks(&self) -> Vec<Vec<RepositoryPath>> {
        lock(&self.state.watched).clone()
    }

    /// What was reported on commits.
    pub fn reports(&self) -> Vec<(RepositoryPath, CommitReport)> {
        lock(&self.state.reports).clone()
    }

    /// Webhooks of all repositories.
    pub fn all_hooks(&self) -> Vec<(RepositoryPath, Hook)> {
        lock(&self.state.hooks).iter().map(|(path, hook, _)| (path.clone(), hook.clone())).collect()
    }

    /// Removes all webhooks, as somebody does on the host's page.
    pub fn remove_hooks(&self) {
        lock(&self.state.hooks).clear();
    }

    /// Switches all webhooks off or on, as a host does after failed deliveries.
    pub fn set_hooks_active(&self, active: bool) {
        lock(&self.state.hooks).iter_mut().for_each(|(_, hook, _)| hook.active = active);
    }

    /// Signs a delivery of the webhook at an address.
    pub fn signature(&self, url: &str, body: &str) -> String {
        let hooks = lock(&self.state.hooks);
        let secret = hooks.iter().find(|(_, hook, _)| hook.url == url).map(|(.., secret)| secret.expose());
        hash(&[secret.unwrap_or_default().as_bytes(), body.as_bytes()])
    }

    /// Ends the flow that waits for a browser or a device, and those that come.
    pub fn end_flow(&self, ending: Ending) {
        self.state.ending.send_replace(Some(ending));
    }

    /// Fails the next calls of a method.
    pub fn fail(&self, call: &'static str, failure: Failure, times: usize) {
        self.state.script.fail(call, failure, times);
    }

    /// How often a method was called.
    pub fn calls(&self, call: &'static str) -> usize {
        self.state.script.calls(call)
    }

    fn identity_of(&self, tokens: &HostTokens) -> Result<HostIdentity, Failure> {
        // Who has a made-up secret is called by what it is for: its mark stands in secrets alone.
        let words = tokens.access.expose().split('-');
        let login = words.into_iter().find(|word| *word != crate::CANARY_MARK).unwrap_or_default().to_owned();
        if lock(&self.state.refused).iter().any(|refused| refused == tokens.access.expose()) {
            return Err(Failure::new(ErrorCode::SourceUnauthorized, "the host refuses the token"));
        }
        Ok(HostIdentity {
            id: format!("id of {login}"),
            name: login.clone(),
            login,
            granted: Granted::Known { scopes: vec!["repo".to_owned()] },
            missing: lock(&self.state.missing).clone(),
            expires_at: None,
        })
    }

    async fn enter(&self, call: &'static str, account: &HostAccess) -> Result<HostIdentity, Failure> {
        self.state.script.enter(call)?;
        self.identity_of(&account.keeper.load().await?)
    }

    fn found(account: &HostAccess, path: &str, branches: &[String]) -> HostRepository {
        HostRepository {
            id: format!("id of {path}"),
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            path: RepositoryPath(path.to_owned()),
            private: true,
            default_branch: branches.first().cloned(),
            archived: false,
            clone_url: format!("{}/{path}.git", account.address.base),
            ssh_url: None,
            web_url: format!("{}/{path}", account.address.base),
            pushed_at: None,
        }
    }
}

fn page<T>(items: Vec<T>) -> Page<T> {
    Page { items, next: None }
}

fn not_found(path: &RepositoryPath) -> Failure {
    Failure::new(ErrorCode::SourceNotFound, format!("there is no {path}"))
}

#[async_trait]
impl CodeHosts for FakeHosts {
    async fn probe(&self, _address: &HostAddress, _cancel: &CancellationToken) -> Result<HostFacts, Failure> {
        self.state.script.enter("probe")?;
        Ok(HostFacts { product: "Fake".to_owned(), version: None })
    }

    async fn identify(
        &self,
        _address: &HostAddress,
        tokens: &HostTokens,
        _needs: &[Need],
        _cancel: &CancellationToken,
    ) -> Result<HostIdentity, Failure> {
        self.state.script.enter("identify")?;
        self.identity_of(tokens)
    }

    async fn identity(
        &self,
        account: &HostAccess,
        _needs: &[Need],
        _cancel: &CancellationToken,
    ) -> Result<HostIdentity, Failure> {
        self.enter("identity", account).await
    }

    async fn owners(&self, account: &HostAccess, _cancel: &CancellationToken) -> Result<Vec<HostOwner>, Failure> {
        let own = self.enter("owners", account).await?.login;
        let mut owners =
            vec![HostOwner { id: own.clone(), path: own.clone(), name: own.clone(), kind: OwnerKind::Own }];
        for path in lock(&self.state.repositories).keys() {
            let owner = path.split('/').next().unwrap_or_default();
            if owners.iter().all(|known| known.path != owner) {
                owners.push(HostOwner {
                    id: owner.to_owned(),
                    path: owner.to_owned(),
                    name: owner.to_owned(),
                    kind: OwnerKind::Organization,
                });
            }
        }
        Ok(owners)
    }

    async fn repositories(
        &self,
        account: &HostAccess,
        query: &RepositoryQuery,
        _cancel: &CancellationToken,
    ) -> Result<Page<HostRepository>, Failure> {
        self.enter("repositories", account).await?;
        let repositories = lock(&self.state.repositories);
        let own = repositories.iter().filter(|(path, _)| {
            path.split_once('/').is_some_and(|(owner, name)| owner == query.owner.path && name.contains(&query.search))
        });
        Ok(page(own.map(|(path, branches)| Self::found(account, path, branches)).collect()))
    }

    async fn repository(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        _cancel: &CancellationToken,
    ) -> Result<HostRepository, Failure> {
        self.enter("repository", account).await?;
        let repositories = lock(&self.state.repositories);
        let branches = repositories.get(&path.0).ok_or_else(|| not_found(path))?;
        Ok(Self::found(account, &path.0, branches))
    }

    async fn refs(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        kind: RefKind,
        search: &str,
        _page: Option<&PageMark>,
        _cancel: &CancellationToken,
    ) -> Result<Page<HostRef>, Failure> {
        self.enter("refs", account).await?;
        let repositories = lock(&self.state.repositories);
        let branches = repositories.get(&path.0).ok_or_else(|| not_found(path))?;
        if kind == RefKind::Tag {
            return Ok(page(Vec::new()));
        }
        let names = branches.iter().filter(|name| name.contains(search)).filter_map(|name| RefName::branch(name).ok());
        Ok(page(names.map(|name| HostRef { name, commit: None }).collect()))
    }

    async fn commit(
        &self,
        _account: &HostAccess,
        path: &RepositoryPath,
        _revision: &str,
        _cancel: &CancellationToken,
    ) -> Result<CommitDetails, Failure> {
        Err(not_found(path))
    }

    async fn list_folder(
        &self,
        _account: &HostAccess,
        path: &RepositoryPath,
        _commit: &CommitId,
        _folder: &RepoPath,
        _cancel: &CancellationToken,
    ) -> Result<Vec<TreeEntry>, Failure> {
        Err(not_found(path))
    }

    async fn what_moved(
        &self,
        account: &HostAccess,
        watched: &[RepositoryPath],
        _mark: Option<&MovedMark>,
        cancel: &CancellationToken,
    ) -> Result<WhatMoved, Failure> {
        self.enter("what_moved", account).await?;
        if lock(&self.state.hanging).iter().any(|base| base == account.address.base.as_str()) {
            cancel.cancelled().await;
            return Err(Failure::cancelled());
        }
        lock(&self.state.watched).push(watched.to_vec());
        Ok(WhatMoved {
            moved: lock(&self.state.moved).pop_front().unwrap_or(Moved::CannotTell),
            mark: Some(MovedMark("seen".to_owned())),
            next_after: Duration::from_secs(15),
            sweep_after: Duration::from_secs(600),
            rate: RateState::default(),
            requests: 1,
        })
    }

    async fn hooks(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        _cancel: &CancellationToken,
    ) -> Result<Vec<Hook>, Failure> {
        self.enter("hooks", account).await?;
        let hooks = lock(&self.state.hooks);
        Ok(hooks.iter().filter(|(of, ..)| of == path).map(|(_, hook, _)| hook.clone()).collect())
    }

    async fn create_hook(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        hook: &NewHook,
        _cancel: &CancellationToken,
    ) -> Result<Hook, Failure> {
        self.enter("create_hook", account).await?;
        let id = self.state.script.calls("create_hook").to_string();
        let mut hooks = lock(&self.state.hooks);
        hooks.retain(|(of, old, _)| of != path || old.url != hook.url);
        let made = Hook { id, url: hook.url.clone(), active: true };
        hooks.push((path.clone(), made.clone(), hook.secret.clone()));
        Ok(made)
    }

    async fn delete_hook(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        id: &str,
        _cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        self.enter("delete_hook", account).await?;
        lock(&self.state.hooks).retain(|(of, hook, _)| of != path || hook.id != id);
        Ok(())
    }

    /// Signed by [`FakeHosts::signature`] in `x-fake-signature`; a body with `zen` is a ping.
    fn read_delivery(
        &self,
        _provider: HostProvider,
        delivery: &Delivery<'_>,
        secret: &Secret,
        _now: DateTime<Utc>,
    ) -> Result<HookEvent, DeliveryRefused> {
        let given = delivery.header("x-fake-signature").ok_or(DeliveryRefused::Unsigned)?;
        if given != hash(&[secret.expose().as_bytes(), delivery.body]) {
            return Err(DeliveryRefused::WrongSignature);
        }
        let is_ping = String::from_utf8_lossy(delivery.body).contains("zen");
        let kind = if is_ping { HookEventKind::Ping } else { HookEventKind::Push { refs: Vec::new() } };
        Ok(HookEvent { kind, repository: None, replay_key: hash(&[delivery.body]) })
    }

    async fn report(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        report: &CommitReport,
        _cancel: &CancellationToken,
    ) -> Result<Option<String>, Failure> {
        self.enter("report", account).await?;
        lock(&self.state.reports).push((path.clone(), report.clone()));
        Ok(Some(format!("report {}", lock(&self.state.reports).len())))
    }

    async fn clone_login(&self, account: &HostAccess, _cancel: &CancellationToken) -> Result<CloneLogin, Failure> {
        self.state.script.enter("clone_login")?;
        Ok(CloneLogin { username: "token".to_owned(), password: account.keeper.load().await?.access })
    }
}

#[async_trait]
impl HostAuthorization for FakeHosts {
    fn guide(&self, address: &HostAddress, _needs: &[Need]) -> HostGuide {
        HostGuide {
            provider: address.provider,
            token_page: format!("{}/tokens", address.base),
            token_scopes: Vec::new(),
            token_username: false,
            oauth_scopes: Vec::new(),
            code_flow: CodeFlow::WithoutSecret,
            device_flow: true,
            register_page: None,
            redirect_uri: "http://127.0.0.1/callback".to_owned(),
            clear_confidential: false,
            revoke_page: format!("{}/applications", address.base),
            built_in_client: false,
            app_manifest: address.provider == HostProvider::Github,
            service_ends: None,
        }
    }

    fn built_in_client(&self, _address: &HostAddress) -> Option<OauthClient> {
        None
    }

    async fn begin_code(
        &self,
        address: &HostAddress,
        client: &OauthClient,
        _needs: &[Need],
        _language: PageLanguage,
    ) -> Result<Box<dyn PendingAuthorization>, Failure> {
        self.state.script.enter("begin_code")?;
        Ok(Box::new(Waiting {
            page: format!("{}/authorize?client_id={}", address.base, client.client_id),
            code: device_code(address),
            ending: self.state.ending.subscribe(),
        }))
    }

    async fn begin_device(
        &self,
        address: &HostAddress,
        _client: &OauthClient,
        _needs: &[Need],
        _cancel: &CancellationToken,
    ) -> Result<Box<dyn PendingDevice>, Failure> {
        self.state.script.enter("begin_device")?;
        Ok(Box::new(Waiting { page: String::new(), code: device_code(address), ending: self.state.ending.subscribe() }))
    }

    async fn begin_manifest(
        &self,
        address: &HostAddress,
        _app_name: &str,
        _organization: Option<&str>,
        _language: PageLanguage,
    ) -> Result<Box<dyn PendingManifest>, Failure> {
        self.state.script.enter("begin_manifest")?;
        Ok(Box::new(Waiting {
            page: format!("{}/start", address.base),
            code: device_code(address),
            ending: self.state.ending.subscribe(),
        }))
    }

    async fn refresh(&self, account: &HostAccess, _cancel: &CancellationToken) -> Result<(), Failure> {
        self.enter("refresh", account).await.map(drop)
    }

    async fn revoke(&self, account: &HostAccess, _cancel: &CancellationToken) -> Result<Revocation, Failure> {
        self.state.script.enter("revoke")?;
        let tokens = account.keeper.load().await?;
        if tokens.kind != TokenKind::Oauth {
            return Ok(Revocation::ByHand { page: format!("{}/applications", account.address.base) });
        }
        self.refuse(tokens.access.expose());
        Ok(Revocation::Revoked)
    }
}

fn device_code(address: &HostAddress) -> DeviceCode {
    DeviceCode {
        user_code: "WDJB-MJHT".to_owned(),
        verification_uri: format!("{}/device", address.base),
        verification_uri_complete: None,
        expires_at: DateTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000),
    }
}

/// A flow that waits for [`FakeHosts::end_flow`].
struct Waiting {
    page: String,
    code: DeviceCode,
    ending: watch::Receiver<Option<Ending>>,
}

impl Waiting {
    async fn end(mut self: Box<Self>, cancel: &CancellationToken) -> Ending {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Failure::cancelled()),
            ended = self.ending.wait_for(Option::is_some) => match ended.ok().and_then(|ended| ended.clone()) {
                Some(ending) => ending,
                None => Err(Failure::cancelled()),
            },
        }
    }
}

#[async_trait]
impl PendingAuthorization for Waiting {
    fn page(&self) -> &str {
        &self.page
    }

    async fn finish(self: Box<Self>, cancel: &CancellationToken) -> Ending {
        self.end(cancel).await
    }
}

#[async_trait]
impl PendingDevice for Waiting {
    fn code(&self) -> &DeviceCode {
        &self.code
    }

    async fn finish(self: Box<Self>, cancel: &CancellationToken) -> Ending {
        self.end(cancel).await
    }
}

#[async_trait]
impl PendingManifest for Waiting {
    fn page(&self) -> &str {
        &self.page
    }

    async fn finish(self: Box<Self>, cancel: &CancellationToken) -> Result<GithubApp, Failure> {
        self.end(cancel).await.map(|_| GithubApp {
            slug: "slipway-test".to_owned(),
            client: OauthClient {
                client_id: "made".to_owned(),
                client_secret: Some(Secret::new("secret-of-the-app")),
                redirect_port: Some(1),
            },
            html_url: "https://host.test/apps/slipway-test".to_owned(),
            install_page: "https://host.test/apps/slipway-test/installations/new".to_owned(),
        })
    }
}
