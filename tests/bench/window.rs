//! B8: the release window on an empty display: how soon it can be used, and what it costs while nothing happens.

use crate::figures::{Figure, median, millis};
use crate::process::{TICKS_PER_SECOND, family, ticks};
use slipway_flows::program;
use slipway_testkit::{OwnedProcess, TempDataDir};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};
use x11rb::rust_connection::RustConnection;

const STARTS: usize = 5;
/// Where the navigation stands in the window: nothing moves there once it is painted.
const NAVIGATION: (i16, i16, u16, u16) = (0, 0, 190, 260);
/// The window has settled long before.
const PAINTED_WITHIN: Duration = Duration::from_secs(6);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// When the costs are looked at, and for how long.
const AT_REST_AFTER: Duration = Duration::from_secs(30);
const AT_REST_FOR: Duration = Duration::from_secs(20);

/// `B8.paint`: the program's start until the navigation stands as it stays; `B8.idle` and `B8.memory`: of all its processes,
/// 30 s after that.
pub(crate) async fn paint_idle_and_memory() -> [Figure; 3] {
    let (_screen, name) = screen().await;
    let (display, number) = x11rb::connect(Some(&name)).expect("the display answers");
    let root = x11rb::connection::Connection::setup(&display).roots[number].root;
    let mut paints = Vec::new();
    for _ in 0..STARTS {
        let (process, _data, paint) = start(&display, root, &name).await;
        paints.push(paint);
        end(process).await;
    }
    let (process, _data, _) = start(&display, root, &name).await;
    tokio::time::sleep(AT_REST_AFTER.saturating_sub(PAINTED_WITHIN)).await;
    let pss = pss_by_program(process.id());
    let before = ticks(process.id());
    tokio::time::sleep(AT_REST_FOR).await;
    let idle = (ticks(process.id()) - before) / TICKS_PER_SECOND / AT_REST_FOR.as_secs_f64() * 100.0;
    end(process).await;
    let figure = |value, runs, note| Figure { value, ours_ms: None, peer_ms: None, runs, note };
    let slowest = paints.iter().copied().fold(0.0, f64::max);
    let mut parts: Vec<_> = pss.iter().map(|(name, megabytes)| format!("{name} {megabytes:.0}")).collect();
    parts.sort();
    [
        Figure {
            ours_ms: Some(median(&paints)),
            ..figure(median(&paints), STARTS, format!("slowest {slowest:.0} ms"))
        },
        figure(idle, 1, format!("over {} s, all processes", AT_REST_FOR.as_secs())),
        figure(pss.values().sum(), 1, parts.join(", ")),
    ]
}

/// Starts the window on an empty data folder and returns how long it took until its navigation was painted.
async fn start(display: &RustConnection, root: u32, name: &str) -> (OwnedProcess, TempDataDir, f64) {
    let data = TempDataDir::new();
    let application = program("slipway");
    let begun = Instant::now();
    let process =
        OwnedProcess::start(application.to_str().expect("its path is text"), "cargo build -p slipway", |command| {
            command.arg("--data-dir").arg(data.path()).env("DISPLAY", name).env("GDK_BACKEND", "x11");
            command.env("WEBKIT_DISABLE_DMABUF_RENDERER", "1").env("NO_AT_BRIDGE", "1").env("HOME", data.path());
            command.env_remove("DBUS_SESSION_BUS_ADDRESS").env_remove("XDG_DATA_HOME");
        });
    // What stands there in the end was there from the first time that it looked so.
    let mut looks: Vec<(f64, u64)> = Vec::new();
    while begun.elapsed() < PAINTED_WITHIN {
        let (x, y, width, height) = NAVIGATION;
        let picture = display.get_image(ImageFormat::Z_PIXMAP, root, x, y, width, height, u32::MAX);
        let picture = picture.expect("the display answers").reply().expect("the display has a picture").data;
        let mut hasher = DefaultHasher::new();
        picture.hash(&mut hasher);
        looks.push((millis(begun.elapsed()), hasher.finish()));
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let last = looks.last().expect("it looked").1;
    assert_ne!(looks[0].1, last, "the window was painted within {PAINTED_WITHIN:?}");
    let painted = looks.iter().find(|(_, look)| *look == last).expect("the last is one").0;
    (process, data, painted)
}

async fn end(mut process: OwnedProcess) {
    process.kill().await;
}

async fn screen() -> (OwnedProcess, String) {
    let mut screen = OwnedProcess::start("Xvfb", "apt-get install xvfb", |command| {
        command.args(["-displayfd", "1", "-screen", "0", "1280x820x24", "-nolisten", "tcp"]).stdout(Stdio::piped());
    });
    let mut lines = BufReader::new(screen.child().stdout.take().expect("it was piped")).lines();
    let number = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await;
    let number = number.expect("the display starts").expect("it can be read").expect("it says its number");
    (screen, format!(":{number}"))
}

/// Returns proportional set sizes in megabytes by program.
fn pss_by_program(of: u32) -> HashMap<String, f64> {
    let mut sizes = HashMap::new();
    for id in family(of) {
        let rollup = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kilobytes: f64 =
            line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0.0);
        let name = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        *sizes.entry(name.trim().to_owned()).or_default() += kilobytes / 1024.0;
    }
    sizes
}
