//! Source accounts: authorized logins at code hosts. Tokens go in and never come out; each is opened for one call alone.

mod authorize;
mod health;
mod keeper;
mod lists;
pub(crate) mod moved;
mod place;

use crate::{AppEvent, Parts, Slipway, authority};
pub(crate) use authorize::Authorizations;
pub use authorize::{ApplicationInput, AuthorizationBegun, AuthorizationState, AuthorizeInput, AuthorizeWay};
pub use lists::AccountPage;
use slipway_core::host::{
    HostAddress, HostBase, HostFacts, HostGuide, HostIdentity, HostProvider, HostTokens, Need, OauthClient, Revocation,
    TokenKind,
};
use slipway_core::ids::{CodeRepositoryId, SourceAccountId};
use slipway_core::notice::NoticedRule;
use slipway_core::{ErrorCode, Failure, Secret};
use slipway_store::{AccountFacts, OauthApplication, SourceAccountRecord};

/// A code host as it is typed.
#[derive(Debug, Clone)]
pub struct HostInput {
    /// What runs there.
    pub provider: HostProvider,
    /// Its address; `None` is the provider's public service.
    pub base_url: Option<String>,
    /// Certificates of an own authority, PEM.
    pub ca_pem: Option<String>,
    /// The person agreed to plain HTTP.
    pub allow_plain_http: bool,
}

/// A token that a person pasted.
#[derive(Debug, Clone)]
pub struct TokenInput {
    /// The token.
    pub token: Secret,
    /// The name that some hosts want beside it.
    pub username: Option<String>,
    /// It belongs to a repository, project or workspace and names no person.
    pub is_resource: bool,
}

/// What to tell a person who connects an account.
#[derive(Debug, Clone)]
pub struct AccountGuide {
    /// Links, scopes and what a registration needs.
    pub guide: HostGuide,
    /// The address that everything is about, as it is stored.
    pub base: HostBase,
    /// The application that the person registered there.
    pub application: Option<OauthApplication>,
}

/// An account that was just authorized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorized {
    /// Which.
    pub id: SourceAccountId,
    /// The same person at the same host was connected already: rules stay, the old tokens are forgotten.
    pub renewed: bool,
    /// Its login name.
    pub login: String,
}

/// An account with what hangs on it.
#[derive(Debug, Clone)]
pub struct AccountDetail {
    /// The account.
    pub record: SourceAccountRecord,
    /// Code repositories that it opens.
    pub code: Vec<(CodeRepositoryId, String)>,
    /// Rules over them.
    pub rules: Vec<NoticedRule>,
    /// Seconds since the host was asked last, with whatever result; `None` before the first time.
    pub checked_seconds_ago: Option<i64>,
    /// Seconds until it is asked what moved; `None` while nobody waits for it: no code, or paused.
    pub next_in_seconds: Option<i64>,
}

/// What unbinding would stop.
#[derive(Debug, Clone)]
pub struct AccountRemoval {
    /// Code repositories that nobody opens any more.
    pub code: Vec<(CodeRepositoryId, String)>,
    /// Rules that stop.
    pub rules: Vec<NoticedRule>,
    /// The token can be taken back at the host by a call; otherwise the person does it on the page.
    pub can_revoke: bool,
    /// The host's page of authorized applications or tokens.
    pub revoke_page: String,
}

impl Slipway {
    /// Tells what a host asks for before it lets somebody in. No request is made.
    ///
    /// # Errors
    /// [`ErrorCode::BadCodeLocation`] at `base_url`.
    pub async fn account_guide(&self, host: &HostInput, needs: &[Need]) -> Result<AccountGuide, Failure> {
        let address = self.parts.host_address(host).await?;
        let application = self.parts.store.oauth_application(address.provider, &address.base).await?;
        let guide = self.parts.ports.authorization.guide(&address, needs);
        Ok(AccountGuide { guide, base: address.base, application })
    }

    /// Looks without any login whether the provider answers at an address.
    ///
    /// # Errors
    /// [`ErrorCode::NotACodeHost`], perhaps with a better address in `suggestion`, and what the network says.
    pub async fn probe_host(&self, host: &HostInput) -> Result<HostFacts, Failure> {
        let address = self.parts.host_address(host).await?;
        let cancel = self.parts.stop.child_token();
        self.parts.ports.hosts.probe(&address, &cancel).await.map_err(at_address)
    }

    /// Connects an account with a pasted token. The same person at the same host keeps the id and its rules.
    ///
    /// # Errors
    /// [`ErrorCode::SourceScopesMissing`] at `token` with the names, [`ErrorCode::SourceUnauthorized`] at `token`, and what
    /// the host, the network or the keychain says.
    pub async fn add_account_with_token(
        &self,
        host: &HostInput,
        token: &TokenInput,
        needs: &[Need],
    ) -> Result<Authorized, Failure> {
        let address = self.parts.host_address(host).await?;
        self.parts.authorize(&self.watch, &address, pasted(token)?, None, needs, None).await
    }

    /// Gives an account another pasted token: of the same person, so that its rules go on with it.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] at `token` when it belongs to somebody else, and as
    /// [`Slipway::add_account_with_token`].
    pub async fn reauthorize_account_with_token(
        &self,
        id: SourceAccountId,
        token: &TokenInput,
    ) -> Result<Authorized, Failure> {
        let record = self.parts.store.source_account(id).await?;
        let address = self.parts.address_of(&record).await?;
        self.parts.authorize(&self.watch, &address, pasted(token)?, None, &record.needs, Some(&record)).await
    }

    /// Returns all accounts with what hangs on them.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn accounts(&self) -> Result<Vec<AccountDetail>, Failure> {
        let mut details = Vec::new();
        for record in self.parts.store.source_accounts().await? {
            let (code, rules) = self.parts.hanging_on(record.id).await?;
            let now = self.parts.now();
            let asked = record.last_check_at.max(record.looked_at);
            let waits = record.paused.is_none() && !code.is_empty();
            details.push(AccountDetail {
                checked_seconds_ago: asked.map(|at| (now - at).num_seconds().max(0)),
                next_in_seconds: waits.then(|| record.next_look_at.map_or(0, |next| (next - now).num_seconds().max(0))),
                record,
                code,
                rules,
            });
        }
        Ok(details)
    }

    /// Changes the authority that an account's host is checked by. The host itself never changes: the tokens belong there.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]; [`ErrorCode::InvalidField`] at `ca_pem`.
    pub async fn edit_account(&self, id: SourceAccountId, ca_pem: Option<&str>) -> Result<(), Failure> {
        let ca_pem = authority::typed(ca_pem)?;
        self.parts.store.update_source_account(id, ca_pem.as_deref()).await?;
        self.parts.announce(AppEvent::AccountsChanged);
        Ok(())
    }

    /// Asks the host whose the account's token is and what it may; a pause ends when it is taken again.
    ///
    /// # Errors
    /// What the host answered; it is in the account's health too.
    pub async fn check_account(&self, id: SourceAccountId) -> Result<(), Failure> {
        self.parts.check_account(&self.watch, id).await
    }

    /// Tells what unbinding an account would stop.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn account_removal(&self, id: SourceAccountId) -> Result<AccountRemoval, Failure> {
        let record = self.parts.store.source_account(id).await?;
        let address = self.parts.address_of(&record).await?;
        let (code, rules) = self.parts.hanging_on(id).await?;
        let revoke_page = self.parts.ports.authorization.guide(&address, &record.needs).revoke_page;
        Ok(AccountRemoval { code, rules, can_revoke: record.token_kind == TokenKind::Oauth, revoke_page })
    }

    /// Unbinds an account: takes the tokens back at the host where it can, then forgets them here. Its code repositories
    /// stay, closed, and come back when the same person is authorized again.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]. A host that does not answer is no failure: the answer names the page to go to.
    pub async fn delete_account(&self, id: SourceAccountId) -> Result<Revocation, Failure> {
        let record = self.parts.store.source_account(id).await?;
        let by_hand = Revocation::ByHand { page: self.account_removal(id).await?.revoke_page };
        // With the token goes the right to remove what it made; what is left behind says so itself.
        self.webhooks.remove_of_account(id).await?;
        let revoked = match self.parts.host_access(&record).await {
            Ok(access) => self.parts.ports.authorization.revoke(&access, &self.parts.stop.child_token()).await,
            Err(failure) => Err(failure),
        };
        let revocation = revoked.unwrap_or_else(|failure| {
            tracing::info!(%failure, account = %id, "the tokens could not be taken back at the host");
            by_hand
        });
        let removed = self.parts.store.delete_source_account(id).await?;
        for code in removed.code {
            self.watch.repository_edited(code);
        }
        self.parts.announce(AppEvent::AccountsChanged);
        self.parts.announce(AppEvent::CodeRepositoriesChanged);
        Ok(revocation)
    }
}

impl Parts {
    /// Checks a typed host.
    pub(crate) async fn host_address(&self, host: &HostInput) -> Result<HostAddress, Failure> {
        let typed = host.base_url.as_deref().map(str::trim).filter(|typed| !typed.is_empty());
        let typed = typed.or_else(|| host.provider.public_base()).ok_or_else(|| {
            Failure::new(ErrorCode::BadCodeLocation, "this provider has no public service: give its address")
                .at("base_url")
        })?;
        let base = HostBase::new(typed, host.allow_plain_http)?;
        let ca_pem = authority::typed(host.ca_pem.as_deref())?;
        let proxy = self.proxy(self.settings().await?.code_proxy).await?;
        Ok(HostAddress { provider: host.provider, base, ca_pem, proxy })
    }

    /// Asks whose new tokens are, and stores them.
    pub(crate) async fn authorize(
        &self,
        watch: &crate::watch::Watch,
        address: &HostAddress,
        tokens: HostTokens,
        client: Option<&OauthClient>,
        needs: &[Need],
        again: Option<&SourceAccountRecord>,
    ) -> Result<Authorized, Failure> {
        let cancel = self.stop.child_token();
        let identity = match self.ports.hosts.identify(address, &tokens, needs, &cancel).await {
            Ok(identity) => identity,
            Err(failure) => {
                return Err(match failure.code {
                    ErrorCode::SourceUnauthorized | ErrorCode::SourceScopesMissing => failure.at("token"),
                    // Nobody is at home there: perhaps it is the address of a repository or of a page.
                    ErrorCode::NotACodeHost | ErrorCode::SourceNotFound => {
                        let failure = Failure { code: ErrorCode::NotACodeHost, ..failure }.at("base_url");
                        match self
                            .ports
                            .hosts
                            .probe(address, &cancel)
                            .await
                            .map_err(|mut why| why.details.remove("suggestion"))
                        {
                            Err(Some(better)) => failure.with("suggestion", better),
                            _ => failure,
                        }
                    }
                    _ => at_address(failure),
                });
            }
        };
        identity.check_scopes().map_err(|failure| failure.at("token"))?;
        if let Some(known) = again.filter(|known| known.host_id != identity.id) {
            let why = format!("this token belongs to {}, not to {}", identity.login, known.login);
            return Err(Failure::new(ErrorCode::InvalidField, why).at("token").with("login", identity.login));
        }
        let identity = HostIdentity { expires_at: identity.expires_at.or(tokens.expires_at), ..identity };
        let secret = match client.and_then(|client| client.client_secret.as_ref()) {
            Some(secret) => Some(self.ports.vault.seal(secret).await?),
            None => None,
        };
        let facts = AccountFacts {
            provider: address.provider,
            base: address.base.clone(),
            ca_pem: address.ca_pem.clone(),
            token_kind: tokens.kind,
            needs: needs.to_vec(),
            sealed: self.ports.vault.seal(&tokens.to_secret()).await?,
            client: client.map(|client| (client.client_id.clone(), secret, client.redirect_port)),
            identity,
        };
        let was_paused = self.store.source_accounts().await?.iter().any(|known| {
            let same =
                (known.provider, &known.base, &known.host_id) == (facts.provider, &facts.base, &facts.identity.id);
            same && known.paused.is_some()
        });
        let (id, is_new) = self.store.authorize_account(&facts, self.now()).await?;
        let detail = self.hanging_on(id).await?;
        if was_paused {
            self.tell_resumed(id).await;
        }
        self.announce(AppEvent::AccountsChanged);
        self.announce(AppEvent::CodeRepositoriesChanged);
        for (code, _) in detail.0 {
            watch.repository_edited(code);
        }
        Ok(Authorized { id, renewed: !is_new, login: facts.identity.login })
    }

    /// Returns code repositories and rules that an account carries.
    pub(crate) async fn hanging_on(
        &self,
        id: SourceAccountId,
    ) -> Result<(Vec<(CodeRepositoryId, String)>, Vec<NoticedRule>), Failure> {
        let code = self.store.code_repositories_of(id).await?;
        let mut rules = Vec::new();
        for one in &code {
            for rule in self.store.rules_of_code(one.id).await? {
                rules.push(NoticedRule {
                    rule: rule.id,
                    rule_name: rule.spec.name,
                    repository: rule.repository,
                    repository_name: self.store.image_repository(rule.repository).await?.spec.name.as_str().to_owned(),
                });
            }
        }
        Ok((code.into_iter().map(|one| (one.id, one.name)).collect(), rules))
    }
}

fn pasted(input: &TokenInput) -> Result<HostTokens, Failure> {
    let token = input.token.expose().trim();
    if token.is_empty() || token.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Failure::new(ErrorCode::InvalidField, "a token is one word").at("token"));
    }
    let kind = if input.is_resource { TokenKind::Resource } else { TokenKind::Personal };
    let username = input.username.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(HostTokens::pasted(kind, Secret::new(token), username))
}

/// What a wrong address looks like belongs to its field.
fn at_address(failure: Failure) -> Failure {
    match failure.code {
        ErrorCode::NotACodeHost
        | ErrorCode::SourceRedirected
        | ErrorCode::SourceUnreachable
        | ErrorCode::BadCodeLocation => failure.at("base_url"),
        ErrorCode::SourceTls => failure.at("ca_pem"),
        _ => failure,
    }
}
