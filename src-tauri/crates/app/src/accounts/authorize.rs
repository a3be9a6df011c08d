//! Authorizing in the system browser or on another device: a session that the window opens, asks about and may cancel.

use super::{Authorized, HostInput};
use crate::watch::Watch;
use crate::{AppEvent, Parts, Slipway};
use slipway_core::host::{
    DeviceCode, HostAddress, HostBase, HostProvider, HostTokens, Need, OauthClient, PageLanguage,
};
use slipway_core::ids::SourceAccountId;
use slipway_core::{ErrorCode, Failure, Secret};
use slipway_store::{OauthApplication, SourceAccountRecord};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Sessions that are over are remembered up to this many: whoever asks late still hears how it ended.
const KEPT: usize = 16;
/// A session that is cancelled closes its listener within this.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// The way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorizeWay {
    /// The system browser, which comes back to this machine.
    Browser,
    /// A code that is typed on another page.
    Device,
    /// First a GitHub App of one's own is made, from a manifest with the least rights.
    GithubApp {
        /// Its name at GitHub.
        name: String,
        /// The organization that owns it; the person when there is none.
        organization: Option<String>,
    },
}

/// What to authorize.
#[derive(Debug, Clone)]
pub struct AuthorizeInput {
    /// Where.
    pub host: HostInput,
    /// What the account is wanted for.
    pub needs: Vec<Need>,
    /// The way in.
    pub way: AuthorizeWay,
    /// The language of the page that the browser ends on.
    pub language: PageLanguage,
    /// The account that is authorized again; its host and its needs count then.
    pub again: Option<SourceAccountId>,
}

/// A session that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationBegun {
    /// Names the session.
    pub session: u32,
    /// The page to open in the system browser.
    pub page: String,
    /// What to type there, in the device flow.
    pub device: Option<DeviceCode>,
}

/// How a session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorizationState {
    /// Nobody has decided yet.
    Waiting,
    /// The account is there.
    Done(Authorized),
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
    Failed(Failure),
}

/// An OAuth application as it is typed.
#[derive(Debug, Clone)]
pub struct ApplicationInput {
    /// Its id at the host.
    pub client_id: String,
    /// Its secret, where the host wants one; `None` keeps the stored one.
    pub client_secret: Option<Secret>,
    /// The port of the registered redirect address, where the host compares it.
    pub redirect_port: Option<u16>,
}

/// All sessions of this run.
#[derive(Default)]
pub(crate) struct Authorizations {
    sessions: Mutex<(u32, BTreeMap<u32, Session>)>,
}

struct Session {
    place: (HostProvider, HostBase),
    cancel: CancellationToken,
    state: watch::Receiver<AuthorizationState>,
}

impl Authorizations {
    fn lock(&self) -> MutexGuard<'_, (u32, BTreeMap<u32, Session>)> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, address: &HostAddress, cancel: CancellationToken) -> (u32, watch::Sender<AuthorizationState>) {
        let (sender, state) = watch::channel(AuthorizationState::Waiting);
        let mut sessions = self.lock();
        sessions.0 += 1;
        let id = sessions.0;
        let over: Vec<u32> = sessions
            .1
            .iter()
            .filter(|(_, one)| *one.state.borrow() != AuthorizationState::Waiting)
            .map(|(id, _)| *id)
            .collect();
        for old in over.iter().take(over.len().saturating_sub(KEPT)) {
            sessions.1.remove(old);
        }
        sessions.1.insert(id, Session { place: (address.provider, address.base.clone()), cancel, state });
        (id, sender)
    }

    /// A second click: what waits for the same host ends first, so that its listener is free.
    async fn end_others(&self, address: &HostAddress) {
        let waiting: Vec<_> = self
            .lock()
            .1
            .values()
            .filter(|one| one.place.0 == address.provider && one.place.1 == address.base)
            .map(|one| (one.cancel.clone(), one.state.clone()))
            .collect();
        for (cancel, mut state) in waiting {
            cancel.cancel();
            let over = state.wait_for(|state| *state != AuthorizationState::Waiting);
            // One that does not end keeps its port, which the next one says.
            let _ = tokio::time::timeout(STOP_WITHIN, over).await;
        }
    }
}

impl Slipway {
    /// Begins to authorize. The window opens the page and asks for the state; nothing is stored before it is done.
    ///
    /// # Errors
    /// [`ErrorCode::OauthClientRefused`] with `reason` `no_client` when no application is known for the host, and what
    /// the host says.
    pub async fn begin_authorization(&self, input: AuthorizeInput) -> Result<AuthorizationBegun, Failure> {
        let again = match input.again {
            Some(id) => Some(self.parts.store.source_account(id).await?),
            None => None,
        };
        let (address, needs) = match &again {
            Some(record) => (self.parts.address_of(record).await?, record.needs.clone()),
            None => (self.parts.host_address(&input.host).await?, input.needs),
        };
        self.parts.authorizations.end_others(&address).await;
        let cancel = self.parts.stop.child_token();
        let ports = &self.parts.ports.authorization;
        let flow = Flow { parts: Arc::clone(&self.parts), watch: Arc::clone(&self.watch), address, needs, again };
        if let AuthorizeWay::GithubApp { name, organization } = &input.way {
            let pending = ports.begin_manifest(&flow.address, name, organization.as_deref(), input.language).await?;
            let page = pending.page().to_owned();
            let (session, state) = self.parts.authorizations.begin(&flow.address, cancel.clone());
            self.tasks.spawn(async move {
                let made = pending.finish(&cancel).await;
                state.send_replace(ended(flow.keep_app(made).await));
                flow.parts.announce(AppEvent::AccountsChanged);
            });
            return Ok(AuthorizationBegun { session, page, device: None });
        }
        let client = flow.client().await?;
        if input.way == AuthorizeWay::Device {
            let pending = ports.begin_device(&flow.address, &client, &flow.needs, &cancel).await?;
            let code = pending.code().clone();
            let (session, state) = self.parts.authorizations.begin(&flow.address, cancel.clone());
            self.tasks.spawn(async move {
                let tokens = pending.finish(&cancel).await;
                state.send_replace(ended(flow.store(tokens, &client).await));
                flow.parts.announce(AppEvent::AccountsChanged);
            });
            let page = code.verification_uri_complete.clone().unwrap_or_else(|| code.verification_uri.clone());
            return Ok(AuthorizationBegun { session, page, device: Some(code) });
        }
        let pending = ports.begin_code(&flow.address, &client, &flow.needs, input.language).await?;
        let page = pending.page().to_owned();
        let (session, state) = self.parts.authorizations.begin(&flow.address, cancel.clone());
        self.tasks.spawn(async move {
            let tokens = pending.finish(&cancel).await;
            state.send_replace(ended(flow.store(tokens, &client).await));
            flow.parts.announce(AppEvent::AccountsChanged);
        });
        Ok(AuthorizationBegun { session, page, device: None })
    }

    /// Tells how a session stands.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] for one of an earlier run.
    pub fn authorization(&self, session: u32) -> Result<AuthorizationState, Failure> {
        let sessions = self.parts.authorizations.lock();
        let found = sessions.1.get(&session).map(|one| one.state.borrow().clone());
        found.ok_or_else(|| Failure::new(ErrorCode::NotFound, "this authorization is not known any more"))
    }

    /// Cancels a session; one that is over stays as it ended.
    pub fn cancel_authorization(&self, session: u32) {
        if let Some(one) = self.parts.authorizations.lock().1.get(&session) {
            one.cancel.cancel();
        }
    }

    /// Returns the OAuth applications that a person registered, by host.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn oauth_applications(&self) -> Result<Vec<(HostProvider, HostBase, OauthApplication)>, Failure> {
        Ok(self.parts.store.oauth_applications().await?)
    }

    /// Sets the OAuth application of a host.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] at `client_id`, and what the keychain says.
    pub async fn save_oauth_application(&self, host: &HostInput, input: &ApplicationInput) -> Result<(), Failure> {
        let address = self.parts.host_address(host).await?;
        let client_id = input.client_id.trim();
        if client_id.is_empty() || client_id.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Failure::new(ErrorCode::InvalidField, "a client id is one word").at("client_id"));
        }
        let old = self.parts.store.oauth_application(address.provider, &address.base).await?;
        let kept = old.filter(|old| old.client_id == client_id);
        let secret = match &input.client_secret {
            Some(secret) => Some(self.parts.keep_secret("secret of an OAuth application", secret).await?),
            None => kept.as_ref().and_then(|old| old.client_secret),
        };
        let application = OauthApplication {
            client_id: client_id.to_owned(),
            client_secret: secret,
            redirect_port: input.redirect_port,
            install_page: kept.and_then(|old| old.install_page),
        };
        self.parts.store.set_oauth_application(address.provider, &address.base, Some(&application)).await?;
        self.parts.announce(AppEvent::AccountsChanged);
        Ok(())
    }

    /// Forgets the OAuth application of a host; accounts that came from it go on.
    ///
    /// # Errors
    /// [`ErrorCode::BadCodeLocation`] at `base_url`.
    pub async fn delete_oauth_application(&self, host: &HostInput) -> Result<(), Failure> {
        let address = self.parts.host_address(host).await?;
        self.parts.store.set_oauth_application(address.provider, &address.base, None).await?;
        self.parts.announce(AppEvent::AccountsChanged);
        Ok(())
    }
}

/// What a session needs until its end.
struct Flow {
    parts: Arc<Parts>,
    watch: Arc<Watch>,
    address: HostAddress,
    needs: Vec<Need>,
    again: Option<SourceAccountRecord>,
}

impl Flow {
    /// The application to ask with: the person's own, else the one that was built in.
    async fn client(&self) -> Result<OauthClient, Failure> {
        let HostAddress { provider, base, .. } = &self.address;
        if let Some(own) = self.parts.store.oauth_application(*provider, base).await? {
            let client_secret = match own.client_secret {
                Some(id) => Some(self.parts.open_secret(id).await?),
                None => None,
            };
            return Ok(OauthClient { client_id: own.client_id, client_secret, redirect_port: own.redirect_port });
        }
        self.parts.ports.authorization.built_in_client(&self.address).ok_or_else(|| {
            let why = format!("no OAuth application is known for {}", base.host());
            Failure::new(ErrorCode::OauthClientRefused, why).with("host", base.host()).with("reason", "no_client")
        })
    }

    async fn store(
        &self,
        tokens: Result<HostTokens, Failure>,
        client: &OauthClient,
    ) -> Result<AuthorizationState, Failure> {
        let again = self.again.as_ref();
        let authorizing = self.parts.authorize(&self.watch, &self.address, tokens?, Some(client), &self.needs, again);
        Ok(AuthorizationState::Done(authorizing.await?))
    }

    async fn keep_app(
        &self,
        made: Result<slipway_core::host::GithubApp, Failure>,
    ) -> Result<AuthorizationState, Failure> {
        let app = made?;
        let secret = match &app.client.client_secret {
            Some(secret) => Some(self.parts.keep_secret("secret of a GitHub App", secret).await?),
            None => None,
        };
        let application = OauthApplication {
            client_id: app.client.client_id,
            client_secret: secret,
            redirect_port: app.client.redirect_port,
            install_page: Some(app.install_page.clone()),
        };
        let HostAddress { provider, base, .. } = &self.address;
        self.parts.store.set_oauth_application(*provider, base, Some(&application)).await?;
        Ok(AuthorizationState::AppMade { install_page: app.install_page })
    }
}

fn ended(result: Result<AuthorizationState, Failure>) -> AuthorizationState {
    result.unwrap_or_else(|failure| match failure.code {
        ErrorCode::AuthorizationDenied => AuthorizationState::Denied,
        ErrorCode::AuthorizationExpired => AuthorizationState::Expired,
        ErrorCode::Cancelled => AuthorizationState::Cancelled,
        _ => AuthorizationState::Failed(failure),
    })
}
