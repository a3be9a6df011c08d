//! A scripted desktop on a bus of its own: it shows tray icons, notifications, and holds locks against sleep. What the
//! application hands to it is what a real desktop would get.

use slipway_testkit::eventually;
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{Fd, OwnedValue, Value};
use zbus::{Connection, Proxy, interface};

const PATIENCE: Duration = Duration::from_secs(20);
/// A build, and an update after it, may come before a notification.
const WORK: Duration = Duration::from_secs(120);

/// A notification that the application asked for.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) id: u32,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) actions: Vec<String>,
}

#[derive(Debug, Default)]
struct Seen {
    items: Vec<String>,
    told: Vec<Told>,
    /// Kinds of sleep that somebody holds off.
    locks: Vec<String>,
}

/// The desktop.
pub(crate) struct Desktop {
    bus: Connection,
    seen: Arc<Mutex<Seen>>,
}

struct Watcher(Arc<Mutex<Seen>>);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: &str, #[zbus(header)] header: zbus::message::Header<'_>) {
        // An item names its path and is found by its sender, or names a bus name and has the usual path.
        let item = match service.strip_prefix('/') {
            Some(_) => format!("{} {service}", header.sender().unwrap()),
            None => format!("{service} /StatusNotifierItem"),
        };
        self.0.lock().unwrap().items.push(item);
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.0.lock().unwrap().items.clone()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

struct Notifications(Arc<Mutex<Seen>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(clippy::too_many_arguments, reason = "the specification has them")]
    fn notify(
        &self,
        _application: &str,
        _replaces: u32,
        _icon: &str,
        title: &str,
        text: &str,
        actions: Vec<String>,
        _hints: HashMap<&str, Value<'_>>,
        _timeout: i32,
    ) -> u32 {
        let told = &mut self.0.lock().unwrap().told;
        let id = u32::try_from(told.len()).unwrap() + 1;
        told.push(Told { id, title: title.to_owned(), text: text.to_owned(), actions });
        id
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;
}

struct Sleep(Arc<Mutex<Seen>>);

#[interface(name = "org.freedesktop.login1.Manager")]
impl Sleep {
    fn inhibit(&self, what: &str, _who: &str, _why: &str, _mode: &str) -> zbus::fdo::Result<Fd<'static>> {
        let (mut reader, writer) = std::io::pipe().map_err(|error| zbus::fdo::Error::IOError(error.to_string()))?;
        self.0.lock().unwrap().locks.push(what.to_owned());
        // A lock ends when its holder closes it, or ends itself.
        let (seen, what) = (Arc::clone(&self.0), what.to_owned());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut reader, &mut std::io::sink());
            let locks = &mut seen.lock().unwrap().locks;
            if let Some(at) = locks.iter().position(|one| *one == what) {
                locks.remove(at);
            }
        });
        Ok(Fd::from(OwnedFd::from(writer)))
    }
}

impl Desktop {
    /// Takes its place on a bus, whose address is given.
    pub(crate) async fn start(address: &str) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let bus = zbus::connection::Builder::address(address)
            .unwrap()
            .serve_at("/StatusNotifierWatcher", Watcher(Arc::clone(&seen)))
            .unwrap()
            .serve_at("/org/freedesktop/Notifications", Notifications(Arc::clone(&seen)))
            .unwrap()
            .serve_at("/org/freedesktop/login1", Sleep(Arc::clone(&seen)))
            .unwrap()
            .name("org.kde.StatusNotifierWatcher")
            .unwrap()
            .name("org.freedesktop.Notifications")
            .unwrap()
            .name("org.freedesktop.login1")
            .unwrap()
            .build()
            .await
            .unwrap();
        Self { bus, seen }
    }

    /// Waits for a notification whose title holds a text.
    pub(crate) async fn told(&self, title: &str) -> Told {
        eventually(&format!("a notification says {title}"), WORK, async || {
            let told = self.seen.lock().unwrap().told.clone();
            told.iter().find(|one| one.title.contains(title)).cloned().ok_or(told)
        })
        .await
    }

    /// Returns how many notifications came.
    pub(crate) fn told_so_far(&self) -> usize {
        self.seen.lock().unwrap().told.len()
    }

    /// Clicks a notification.
    pub(crate) async fn click(&self, told: &Told) {
        let server = self.bus.object_server().interface::<_, Notifications>("/org/freedesktop/Notifications");
        let server = server.await.unwrap();
        Notifications::action_invoked(server.signal_emitter(), told.id, &told.actions[0]).await.unwrap();
    }

    /// Returns which kinds of sleep are held off now.
    pub(crate) fn held_locks(&self) -> Vec<String> {
        self.seen.lock().unwrap().locks.clone()
    }

    /// Waits until the application has put its icon into the tray, and returns the texts of its menu by entry.
    pub(crate) async fn tray_menu(&self) -> Vec<(i32, String)> {
        eventually("the tray has a menu", PATIENCE, async || {
            let menu = self.menu().await.map_err(|error| error.to_string())?;
            if menu.is_empty() { Err("an empty menu".to_owned()) } else { Ok(menu) }
        })
        .await
    }

    /// Waits until an entry of the tray's menu says a text.
    pub(crate) async fn tray_says(&self, text: &str) {
        eventually(&format!("the tray says {text}"), PATIENCE, async || {
            let menu = self.tray_menu().await;
            if menu.iter().any(|(_, label)| label == text) { Ok(()) } else { Err(menu) }
        })
        .await;
    }

    /// Chooses an entry of the tray's menu.
    pub(crate) async fn choose(&self, text: &str) {
        let menu = self.tray_menu().await;
        let entry = menu.iter().find(|(_, label)| label == text).unwrap_or_else(|| panic!("no {text} in {menu:?}")).0;
        let proxy = self.menu_proxy().await.unwrap();
        proxy.call::<_, _, ()>("Event", &(entry, "clicked", Value::from(0_i32), 0_u32)).await.unwrap();
    }

    async fn menu_proxy(&self) -> zbus::Result<Proxy<'_>> {
        let item = self.seen.lock().unwrap().items.last().cloned();
        let item = item.ok_or_else(|| zbus::Error::Failure("no icon is in the tray".to_owned()))?;
        let (service, path) = item.split_once(' ').unwrap();
        let (service, path) = (service.to_owned(), path.to_owned());
        let item = Proxy::new(&self.bus, service.clone(), path, "org.kde.StatusNotifierItem").await?;
        let menu: zbus::zvariant::OwnedObjectPath = item.get_property("Menu").await?;
        Proxy::new(&self.bus, service, menu, "com.canonical.dbusmenu").await
    }

    async fn menu(&self) -> zbus::Result<Vec<(i32, String)>> {
        type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);
        let proxy = self.menu_proxy().await?;
        let (_, (_, _, entries)): (u32, Layout) = proxy.call("GetLayout", &(0_i32, -1_i32, Vec::<&str>::new())).await?;
        let mut menu = Vec::new();
        for entry in entries {
            let (id, properties, _): Layout = entry.try_into()?;
            if let Some(label) = properties.get("label") {
                menu.push((id, label.downcast_ref::<String>()?));
            }
        }
        Ok(menu)
    }
}
