//! The application: what it is made of, how it starts and how it stops.

use crate::access::OutsideLogins;
use crate::accounts::{Authorizations, moved};
use crate::build_log::BuildLogs;
use crate::channels::delivery;
use crate::fail_point::fail_point;
use crate::health::{self, SecretsHealth};
use crate::pipeline::TagTurns;
use crate::queue::Queue;
use crate::retention::{self, RetentionRuns};
use crate::room::{self, Room};
use crate::triggers::tags;
use crate::triggers::worker::Firings;
use crate::uploads::Uploads;
use crate::versions::VersionBook;
use crate::watch::Watch;
use crate::webhooks::Webhooks;
use crate::{AppEvent, away, commit_reports, disk_budget, housekeeping, leftovers, recovery, wiring};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::channel::ChannelPost;
use slipway_core::deploy::{DeployAction, DeployTarget, ServiceDirectory};
use slipway_core::host::{CodeHosts, HostAuthorization};
use slipway_core::ports::{BuildEngine, Clock, CodeStore, Registries, Vault};
use slipway_core::rule::NameValue;
use slipway_core::trigger::DeployPlace;
use slipway_store::{Recovery, Store};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Events that a slow listener may be behind; then it is told that it missed some and asks anew.
const EVENTS_KEPT: usize = 4096;
/// How long `shutdown` waits for running work to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Finds the engine of a name: `local`, or `context:<name>`.
pub type Engines = Arc<dyn Fn(&str) -> Result<Arc<dyn BuildEngine>, Failure> + Send + Sync>;

/// Finds the build arguments that carry the Docker client's `proxies` setting into builds of an engine.
pub type BuildProxies = Arc<dyn Fn(&str) -> Vec<NameValue> + Send + Sync>;

/// Finds the action that updates a target.
pub type DeployActions = Arc<dyn Fn(&DeployTarget) -> Result<Arc<dyn DeployAction>, Failure> + Send + Sync>;

/// Finds the directory of an engine or a cluster.
pub type ServiceDirectories = Arc<dyn Fn(&DeployPlace) -> Result<Arc<dyn ServiceDirectory>, Failure> + Send + Sync>;

/// The outside.
#[derive(Clone)]
pub struct Ports {
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Git.
    pub code: Arc<dyn CodeStore>,
    /// Code hosts.
    pub hosts: Arc<dyn CodeHosts>,
    /// Getting in at code hosts, and out.
    pub authorization: Arc<dyn HostAuthorization>,
    /// Docker engines by name.
    pub engines: Engines,
    /// OCI registries.
    pub registries: Arc<dyn Registries>,
    /// Secrets at rest.
    pub vault: Arc<dyn Vault>,
    /// Logins that others keep.
    pub outside_logins: Arc<dyn OutsideLogins>,
    /// Proxies for builds.
    pub build_proxies: BuildProxies,
    /// Updating targets.
    pub actions: DeployActions,
    /// What runs where.
    pub directories: ServiceDirectories,
    /// Telling notification channels.
    pub channels: Arc<dyn ChannelPost>,
}

/// How patient the queue and the watcher are. The defaults are the product's; tests make them short.
#[derive(Debug, Clone)]
pub struct Pace {
    /// First pause before a retry; doubles each time.
    pub retry_base: Duration,
    /// Longest pause before a retry, unless the outside asks for more.
    pub retry_cap: Duration,
    /// First pause before asking whether something that is away is back; doubles each time.
    pub probe_base: Duration,
    /// Longest such pause.
    pub probe_cap: Duration,
    /// Wall-clock times are looked at again at least this often.
    pub recheck: Duration,
    /// Between two looks of the schedule at one code host.
    pub look_gap: Duration,
    /// Look at code repositories by themselves; off, only file events and questions make a look.
    pub polling: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            retry_base: Duration::from_secs(5),
            retry_cap: Duration::from_secs(5 * 60),
            probe_base: Duration::from_secs(2),
            probe_cap: Duration::from_secs(60),
            recheck: Duration::from_secs(30),
            // Eight git requests a second, two for each look: half of the strictest limit that a host publishes (1,000 a
            // minute at GitLab.com and Bitbucket).
            look_gap: Duration::from_millis(250),
            polling: true,
        }
    }
}

/// How to open the application.
pub struct OpenOptions {
    /// The data folder.
    pub data_dir: PathBuf,
    /// The outside; `None` is the real one.
    pub ports: Option<Ports>,
    /// How patient it is.
    pub pace: Pace,
}

impl OpenOptions {
    /// Opens this data folder with everything real.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), ports: None, pace: Pace::default() }
    }
}

/// What every part of the application uses.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) ports: Ports,
    pub(crate) logs: Arc<BuildLogs>,
    pub(crate) versions: VersionBook,
    pub(crate) uploads: Uploads,
    pub(crate) authorizations: Authorizations,
    pub(crate) pace: Pace,
    pub(crate) stop: CancellationToken,
    pub(crate) tag_turns: TagTurns,
    pub(crate) retention_runs: RetentionRuns,
    pub(crate) room: Arc<Room>,
    pub(crate) secrets_health: SecretsHealth,
    pub(crate) queue_wake: Notify,
    pub(crate) watch_wake: Notify,
    pub(crate) firing_wake: Notify,
    pub(crate) channel_wake: Notify,
    /// Something stayed on an engine that has to be taken away later.
    pub(crate) tidy_wake: Notify,
    /// Counted up when other tags are to be watched.
    pub(crate) tags_changed: watch::Sender<u64>,
    /// Names this data folder among all that use an engine.
    pub(crate) owner: String,
    /// Names this run in the rows that it claims.
    pub(crate) boot_id: String,
    /// Shared by builds and updates while they run, held alone while an image is removed.
    pub(crate) disk_turn: tokio::sync::RwLock<()>,
    /// Held while the sample is made.
    pub(crate) sample: tokio::sync::Mutex<()>,
    events: broadcast::Sender<AppEvent>,
}

impl Parts {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.ports.clock.now()
    }

    pub(crate) fn announce(&self, event: AppEvent) {
        // Nobody listening is fine: whoever comes later asks.
        let _ = self.events.send(event);
    }

    /// Other tags are to be watched from now on.
    pub(crate) fn watch_other_tags(&self) {
        self.tags_changed.send_modify(|count| *count += 1);
    }

    pub(crate) fn engine(&self, name: &str) -> Result<Arc<dyn BuildEngine>, Failure> {
        (self.ports.engines)(name)
    }
}

/// The running application. Dropping it does not stop it in order: call [`Slipway::shutdown`].
pub struct Slipway {
    pub(crate) parts: Arc<Parts>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) firings: Arc<Firings>,
    pub(crate) webhooks: Arc<Webhooks>,
    pub(crate) tasks: TaskTracker,
    recovered: Option<Recovery>,
    pub(crate) opened_at: DateTime<Utc>,
}

impl Slipway {
    /// Opens the data folder, settles what an earlier run left open, and starts watching and building.
    ///
    /// # Errors
    /// [`slipway_core::ErrorCode::AlreadyRunning`], `DatabaseNewer`, `DataReadOnly`, `DiskFull`.
    pub async fn open(options: OpenOptions) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = match &options.ports {
            Some(ports) => Arc::clone(&ports.clock),
            None => Arc::new(wiring::SystemClock),
        };
        let opened = Store::open(options.data_dir, clock.now()).await?;
        let store = opened.store;
        let owner = installation(&store).await?;
        let ports = match options.ports {
            Some(ports) => ports,
            None => wiring::real_ports(store.data_dir(), owner.clone(), clock)?,
        };
        let room = Arc::new(Room::new(store.data_dir().root().to_owned()));
        let logs = BuildLogs::open(store.data_dir().logs())?;
        let uploads = Uploads::open(store.data_dir().uploads());
        let versions = VersionBook::new(store.version_cache().await?);
        let parts = Arc::new(Parts {
            store,
            ports,
            logs,
            versions,
            uploads,
            authorizations: Authorizations::default(),
            pace: options.pace,
            stop: CancellationToken::new(),
            tag_turns: TagTurns::default(),
            retention_runs: RetentionRuns::default(),
            room,
            secrets_health: SecretsHealth::default(),
            queue_wake: Notify::new(),
            watch_wake: Notify::new(),
            firing_wake: Notify::new(),
            channel_wake: Notify::new(),
            tidy_wake: Notify::new(),
            tags_changed: watch::Sender::new(0),
            owner,
            boot_id: boot_id()?,
            disk_turn: tokio::sync::RwLock::default(),
            sample: tokio::sync::Mutex::default(),
            events: broadcast::Sender::new(EVENTS_KEPT),
        });
        recovery::settle(&parts).await?;
        fail_point("start.settled");
        parts.tidy_uploads().await;
        // Before anybody can enter one.
        match parts.store.remove_unnamed_secrets().await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "sealed secrets that nothing names were removed"),
            Err(error) => tracing::warn!(%error, "sealed secrets that nothing names may be left"),
        }
        let tasks = TaskTracker::new();
        let opened_at = parts.now();
        let queue = Queue::start(Arc::clone(&parts), &tasks);
        let watch = Watch::start(Arc::clone(&parts), &tasks);
        tasks.spawn(moved::run(Arc::clone(&parts), Arc::clone(&watch)));
        tasks.spawn(commit_reports::run(Arc::clone(&parts), parts.events.subscribe()));
        tasks.spawn(delivery::run(Arc::clone(&parts)));
        let firings = Firings::start(Arc::clone(&parts), &tasks);
        let webhooks = Webhooks::start(Arc::clone(&parts), Arc::clone(&watch), &tasks).await?;
        tasks.spawn(tags::run_engine(Arc::clone(&parts)));
        tasks.spawn(tags::run_registries(Arc::clone(&parts)));
        tasks.spawn(room::run(Arc::clone(&parts)));
        tasks.spawn(health::run(Arc::clone(&parts), parts.events.subscribe()));
        tasks.spawn(housekeeping::run(Arc::clone(&parts)));
        tasks.spawn(leftovers::run(Arc::clone(&parts)));
        tasks.spawn(retention::run_when_due(Arc::clone(&parts)));
        tasks.spawn(disk_budget::run(Arc::clone(&parts), parts.events.subscribe()));
        tasks.spawn(away::run(Arc::clone(&parts), opened_at));
        if let Some(recovery) = &opened.recovery {
            parts.tell_recovery(recovery).await?;
        }
        Ok(Self { parts, watch, queue, firings, webhooks, tasks, recovered: opened.recovery, opened_at })
    }

    /// Listens to announcements from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<AppEvent> {
        self.parts.events.subscribe()
    }

    /// Returns what had to be done about a damaged database at start; to be shown to the person.
    #[must_use]
    pub fn database_recovery(&self) -> Option<&Recovery> {
        self.recovered.as_ref()
    }

    /// Returns the store, for reading.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.parts.store
    }

    /// Returns the logs of builds.
    #[must_use]
    pub fn logs(&self) -> &Arc<BuildLogs> {
        &self.parts.logs
    }

    /// Returns the outside that it was opened with.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.parts.ports
    }

    /// Stops: no new work begins, running work is broken off and left for the next start to settle, the store is closed.
    pub async fn shutdown(&self) {
        self.parts.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(STOP_WITHIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("some work did not stop in time; the next start settles it");
        }
        self.parts.versions.close().await;
        self.parts.store.close().await;
    }
}

/// Returns the name of this data folder among all that use an engine, made once.
async fn installation(store: &Store) -> Result<String, Failure> {
    const KEY: &str = "installation";
    if let Some(name) = store.setting(KEY).await? {
        return Ok(name);
    }
    let name = boot_id()?;
    store.set_setting(KEY, &name).await?;
    Ok(name)
}

fn boot_id() -> Result<String, Failure> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(Failure::internal)?;
    Ok(format!("{:016x}", u64::from_le_bytes(bytes)))
}
