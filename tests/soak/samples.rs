//! What the program costs over time: memory, handles, bytes and rows, images and containers on the engine.

use crate::accounts::Database;
use crate::place::Place;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Growth between the second and the last quarter that counts as flat.
const FLAT: f64 = 1.2;
/// Handles come and go with a handful of connections.
const FEW_HANDLES: f64 = 16.0;

/// Tables with what happened: their rows grow with the pushes, and with nothing else.
const HISTORY: [&str; 9] = [
    "builds",
    "build_stages",
    "build_steps",
    "commit_reports",
    "notices",
    "observations",
    "publications",
    "tag_events",
    "tag_moves",
];

struct Sample {
    at: Duration,
    /// Number of the program's life.
    life: u32,
    pushes: usize,
    memory: f64,
    handles: f64,
    disk: f64,
    images: f64,
    containers: f64,
    rows: BTreeMap<String, f64>,
}

#[derive(Default)]
pub(crate) struct Samples(Vec<Sample>);

impl Samples {
    pub(crate) async fn take(&mut self, at: Duration, life: u32, place: &Place) {
        let process = place.product.process_id();
        let filter = format!("label=test.soak={}", place.mark);
        let count = async |arguments: &[&str]| {
            let listed = place.engine.docker_ok(&[arguments, &["--quiet", "--filter", &filter]].concat()).await;
            listed.lines().collect::<std::collections::BTreeSet<_>>().len() as f64
        };
        self.0.push(Sample {
            at,
            life,
            pushes: place.pushed(),
            memory: memory(process),
            handles: std::fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count) as f64,
            disk: bytes_below(place.product.data_dir()) as f64,
            images: count(&["images"]).await,
            containers: count(&["ps", "--all"]).await,
            rows: Database::open(place.product.data_dir()).await.rows_by_table().await,
        });
    }

    /// Names what grew though nothing asked for it.
    pub(crate) fn what_grew(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let Some(end) = self.0.last().map(|sample| sample.at) else { return vec!["there is no sample".to_owned()] };
        let quarter = |number: u32| {
            let (from, to) = (end * (number - 1) / 4, end * number / 4);
            self.0.iter().filter(move |sample| sample.at >= from && sample.at <= to)
        };
        let compare = |name: &str, slack: f64, value: &dyn Fn(&Sample) -> f64| {
            let (second, last) = (median(quarter(2).map(value)), median(quarter(4).map(value)));
            (last > second * FLAT + slack).then(|| format!("{name} grew from {second:.0} to {last:.0}"))
        };
        wrong.extend(compare("memory in MiB", 4.0, &|sample| sample.memory));
        wrong.extend(compare("open handles", FEW_HANDLES, &|sample| sample.handles));
        wrong.extend(compare("containers on the engine", 0.0, &|sample| sample.containers));
        // A leak would show within one life too, which a kill would hide.
        for life in self.0.iter().map(|sample| sample.life).collect::<std::collections::BTreeSet<_>>() {
            let of: Vec<&Sample> = self.0.iter().filter(|sample| sample.life == life).collect();
            if of.len() < 24 {
                continue;
            }
            let (middle, last) = (&of[of.len() / 3..of.len() * 2 / 3], &of[of.len() * 2 / 3..]);
            let memory = |part: &[&Sample]| median(part.iter().map(|sample| sample.memory));
            let handles = |part: &[&Sample]| median(part.iter().map(|sample| sample.handles));
            if memory(last) > memory(middle) * FLAT + 4.0 {
                let (from, to) = (memory(middle), memory(last));
                wrong.push(format!("memory grew from {from:.0} to {to:.0} MiB within life {life}"));
            }
            if handles(last) > handles(middle) * FLAT + FEW_HANDLES {
                let (from, to) = (handles(middle), handles(last));
                wrong.push(format!("handles grew from {from:.0} to {to:.0} within life {life}"));
            }
        }
        // What grows with the pushes grows as fast in the end as before.
        let per_push = |number: u32, value: &dyn Fn(&Sample) -> f64| {
            let (first, last) = (quarter(number).next()?, quarter(number).next_back()?);
            let pushes = last.pushes.checked_sub(first.pushes).filter(|pushes| *pushes > 0)?;
            Some((value(last) - value(first)) / pushes as f64)
        };
        // An image of ours goes with the name that moves on.
        if let Some(more) = per_push(4, &|sample| sample.images)
            && more > 0.05
        {
            wrong.push(format!("images on the engine grew by {more:.2} for each push"));
        }
        let mut grows = |name: &str, slack: f64, value: &dyn Fn(&Sample) -> f64| {
            if let (Some(second), Some(last)) = (per_push(2, value), per_push(4, value))
                && last > second.max(0.0) * FLAT + slack
            {
                wrong.push(format!("{name} grew by {second:.1} for each push, and by {last:.1} in the end"));
            }
        };
        grows("disk in KiB", 64.0, &|sample| sample.disk / 1024.0);
        let tables: Vec<String> = self.0.last().map(|sample| sample.rows.keys().cloned().collect()).unwrap_or_default();
        for table in tables {
            let value = |sample: &Sample| sample.rows.get(&table).copied().unwrap_or_default();
            if HISTORY.contains(&table.as_str()) {
                grows(&format!("rows of {table}"), 1.0, &value);
            } else if !table.starts_with("build_search") {
                // The full-text index of SQLite merges its own rows as it sees fit.
                grows(&format!("rows of {table}"), 0.1, &value);
            }
        }
        wrong
    }

    pub(crate) fn table(&self) -> String {
        let mut lines = vec![format!(
            "{:>7} {:>5} {:>7} {:>9} {:>8} {:>9} {:>7} {:>11} {:>7} {:>6}",
            "s", "life", "pushes", "RSS MiB", "handles", "disk MiB", "images", "containers", "builds", "rows"
        )];
        let every = (self.0.len() / 24).max(1);
        for sample in self.0.iter().step_by(every) {
            lines.push(format!(
                "{:7.0} {:5} {:7} {:9.1} {:8.0} {:9.1} {:7.0} {:11.0} {:7.0} {:6.0}",
                sample.at.as_secs_f64(),
                sample.life,
                sample.pushes,
                sample.memory,
                sample.handles,
                sample.disk / 1024.0 / 1024.0,
                sample.images,
                sample.containers,
                sample.rows.get("builds").copied().unwrap_or_default(),
                sample.rows.values().sum::<f64>(),
            ));
        }
        lines.join("\n")
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Resident memory in MiB.
fn memory(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    // Files come and go while they are counted.
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(about) if about.is_dir() => bytes_below(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
