//! Reads an image's configuration (OCI image specification; Docker's inspect answer spells its fields alike), and puts each
//! instruction of its history beside the layer that it made.

use crate::image::Platform;
use crate::version::{ConfigDifference, ConfigField, VersionConfig, VersionLayer};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The longest instruction that is kept, in characters: a heredoc may hold a whole program.
const LONGEST_INSTRUCTION: usize = 4096;

/// A configuration blob.
#[derive(Debug, Clone, Deserialize)]
pub struct ImageConfig {
    /// Operating system.
    #[serde(default)]
    pub os: String,
    /// Architecture.
    #[serde(default)]
    pub architecture: String,
    /// Variant of the architecture.
    #[serde(default)]
    pub variant: Option<String>,
    /// Creation time.
    #[serde(default, deserialize_with = "lenient_time")]
    pub created: Option<DateTime<Utc>>,
    /// Who made it.
    #[serde(default)]
    pub author: Option<String>,
    /// What a container starts with.
    #[serde(default)]
    pub config: Value,
    /// Ordered layers, unpacked.
    #[serde(default)]
    pub rootfs: RootFs,
    /// Instructions, oldest first.
    #[serde(default)]
    pub history: Option<Vec<HistoryEntry>>,
}

/// The layers of an image.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RootFs {
    /// Digests of the unpacked layers, in order.
    #[serde(default)]
    pub diff_ids: Option<Vec<String>>,
}

/// One instruction of an image's history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct HistoryEntry {
    /// When.
    #[serde(default, deserialize_with = "lenient_time")]
    pub created: Option<DateTime<Utc>>,
    /// The instruction, as the builder wrote it.
    #[serde(default)]
    pub created_by: Option<String>,
    /// It made no layer.
    #[serde(default)]
    pub empty_layer: bool,
}

/// Images of old tools carry times that are none.
fn lenient_time<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.and_then(|text| Some(DateTime::parse_from_rfc3339(&text).ok()?.to_utc())))
}

impl ImageConfig {
    /// Reads a configuration blob; `None` when it is none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        serde_json::from_value(value.is_object().then_some(value)?).ok()
    }

    /// Returns the platform, when the text in it is one.
    #[must_use]
    pub fn platform(&self) -> Option<Platform> {
        platform_of(&self.os, &self.architecture, self.variant.as_deref())
    }
}

/// Makes a platform of foreign text; `None` for what is none, also for `unknown/unknown` of attestations.
#[must_use]
pub fn platform_of(os: &str, architecture: &str, variant: Option<&str>) -> Option<Platform> {
    let variant = variant.filter(|variant| !variant.is_empty()).map(|variant| format!("/{variant}"));
    let platform: Platform = format!("{os}/{architecture}{}", variant.unwrap_or_default()).parse().ok()?;
    (platform.os != "unknown").then_some(platform)
}

/// Puts each instruction beside the layer that it made. Returns the rows from the bottom up, and whether they fit: where
/// they do not, the layers come first and the instructions after them.
#[must_use]
pub fn layers_with_instructions(layers: &[(String, u64)], history: &[HistoryEntry]) -> (Vec<VersionLayer>, bool) {
    let layer = |(digest, size): &(String, u64), entry: Option<&HistoryEntry>| VersionLayer {
        digest: Some(digest.clone()),
        size: *size,
        instruction: entry.and_then(instruction),
        created: entry.and_then(|entry| entry.created),
    };
    let without = |entry: &HistoryEntry| VersionLayer {
        digest: None,
        size: 0,
        instruction: instruction(entry),
        created: entry.created,
    };
    let full = history.iter().filter(|entry| !entry.empty_layer).count();
    if full != layers.len() {
        let rows = layers.iter().map(|one| layer(one, None)).chain(history.iter().map(without)).collect();
        return (rows, history.is_empty());
    }
    let mut next = layers.iter();
    let rows = history.iter().map(|entry| match (entry.empty_layer, next.len()) {
        (false, 1..) => next.next().map_or_else(|| without(entry), |one| layer(one, Some(entry))),
        _ => without(entry),
    });
    (rows.collect(), true)
}

/// The engine's history does not say which instructions made no layer, only sizes. Those with a size made one; when layers
/// are left over, they belong to the instructions that write files.
pub fn mark_empty_layers(history: &mut [HistoryEntry], sizes: &[u64], layers: usize) {
    for (entry, size) in history.iter_mut().zip(sizes) {
        entry.empty_layer = *size == 0;
    }
    let mut found = history.iter().filter(|entry| !entry.empty_layer).count();
    for entry in history.iter_mut() {
        if found >= layers {
            break;
        }
        let text = entry.created_by.as_deref().unwrap_or_default();
        let writes = ["RUN ", "COPY ", "ADD ", "WORKDIR ", "/bin/sh -c "].iter().any(|verb| text.starts_with(verb))
            && !text.contains("#(nop)  ")
            || ["#(nop) COPY ", "#(nop) ADD ", "#(nop) WORKDIR "].iter().any(|verb| text.contains(verb));
        if entry.empty_layer && writes {
            entry.empty_layer = false;
            found += 1;
        }
    }
}

/// The instruction as a person wrote it, as far as that can be told; foreign text.
fn instruction(entry: &HistoryEntry) -> Option<String> {
    let text = entry.created_by.as_deref()?.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    let text = match text.strip_prefix("/bin/sh -c #(nop) ") {
        Some(instruction) => instruction.trim_start().to_owned(),
        None => match text.strip_prefix("/bin/sh -c ") {
            Some(command) => format!("RUN {command}"),
            None => text.strip_prefix("RUN /bin/sh -c ").map_or_else(|| text.to_owned(), |rest| format!("RUN {rest}")),
        },
    };
    (!text.is_empty()).then(|| text.chars().take(LONGEST_INSTRUCTION).collect())
}

/// Reads the `config` object of a configuration, or `Config` of an engine's answer.
#[must_use]
pub fn version_config(config: &Value) -> VersionConfig {
    let text = |name: &str| config.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |value: Option<&Value>| -> Vec<String> {
        let items = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let keys = |name: &str| -> Vec<String> {
        config.get(name).and_then(Value::as_object).map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    let labels = config.get("Labels").and_then(Value::as_object);
    VersionConfig {
        entrypoint: list(config.get("Entrypoint")),
        cmd: list(config.get("Cmd")),
        env: list(config.get("Env")),
        ports: keys("ExposedPorts"),
        volumes: keys("Volumes"),
        user: text("User"),
        workdir: text("WorkingDir"),
        stop_signal: text("StopSignal"),
        healthcheck: list(config.pointer("/Healthcheck/Test")),
        labels: labels
            .map(|labels| {
                labels.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
            })
            .unwrap_or_default(),
    }
}

/// Returns what differs between two configurations, in the order of [`ConfigField`].
#[must_use]
pub fn config_differences(a: &VersionConfig, b: &VersionConfig) -> Vec<ConfigDifference> {
    use ConfigField::{Cmd, Entrypoint, Env, Healthcheck, Label, Port, StopSignal, User, Volume, Workdir};
    let mut found = Vec::new();
    let joined = |list: &[String]| (!list.is_empty()).then(|| serde_json::json!(list).to_string());
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut one = |field, name: Option<String>, a: Option<String>, b: Option<String>| {
        if a != b {
            found.push(ConfigDifference { field, name, a, b });
        }
    };
    one(Entrypoint, None, joined(&a.entrypoint), joined(&b.entrypoint));
    one(Cmd, None, joined(&a.cmd), joined(&b.cmd));
    for (name, a, b) in merged(&variables(&a.env), &variables(&b.env)) {
        one(Env, Some(name), a, b);
    }
    for (field, a, b) in [(Port, &a.ports, &b.ports), (Volume, &a.volumes, &b.volumes)] {
        let all = |list: &[String]| list.iter().map(|item| (item.clone(), item.clone())).collect();
        for (name, a, b) in merged(&all(a), &all(b)) {
            one(field, Some(name), a, b);
        }
    }
    one(User, None, given(&a.user), given(&b.user));
    one(Workdir, None, given(&a.workdir), given(&b.workdir));
    one(StopSignal, None, given(&a.stop_signal), given(&b.stop_signal));
    one(Healthcheck, None, joined(&a.healthcheck), joined(&b.healthcheck));
    for (name, a, b) in merged(&a.labels, &b.labels) {
        one(Label, Some(name), a, b);
    }
    found
}

fn variables(env: &[String]) -> BTreeMap<String, String> {
    env.iter()
        .map(|line| line.split_once('=').unwrap_or((line, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn merged(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<(String, Option<String>, Option<String>)> {
    let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    names.into_iter().map(|name| (name.clone(), a.get(name).cloned(), b.get(name).cloned())).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn entry(created_by: &str, empty_layer: bool) -> HistoryEntry {
        HistoryEntry { created: None, created_by: Some(created_by.to_owned()), empty_layer }
    }

    fn shown(rows: &[VersionLayer]) -> Vec<(Option<&str>, u64, Option<&str>)> {
        rows.iter().map(|row| (row.digest.as_deref(), row.size, row.instruction.as_deref())).collect()
    }

    #[test]
    fn each_layer_has_the_instruction_that_made_it_and_empty_ones_stay() {
        let layers = [("sha256:a".to_owned(), 10), ("sha256:b".to_owned(), 0)];
        let history = [
            entry("/bin/sh -c #(nop) ADD file:1 in / ", false),
            entry("/bin/sh -c #(nop)  CMD [\"sh\"]", true),
            entry("RUN /bin/sh -c true # buildkit", false),
            entry("ENV A=1", true),
        ];
        let (rows, fits) = layers_with_instructions(&layers, &history);
        assert!(fits);
        assert_eq!(
            shown(&rows),
            [
                (Some("sha256:a"), 10, Some("ADD file:1 in /")),
                (None, 0, Some("CMD [\"sh\"]")),
                (Some("sha256:b"), 0, Some("RUN true")),
                (None, 0, Some("ENV A=1")),
            ]
        );
        let (rows, fits) = layers_with_instructions(&layers, &history[..2]);
        assert!(!fits);
        assert_eq!(shown(&rows)[..2], [(Some("sha256:a"), 10, None), (Some("sha256:b"), 0, None)]);
        assert_eq!(layers_with_instructions(&layers, &[]).0.len(), 2);
    }

    #[test]
    fn an_engines_history_has_sizes_only() {
        let mut history =
            [entry("/bin/sh -c #(nop) ADD file:1 in / ", false), entry("WORKDIR /srv", false), entry("ENV A=1", false)];
        mark_empty_layers(&mut history, &[10, 0, 0], 2);
        assert_eq!(history.each_ref().map(|entry| entry.empty_layer), [false, false, true]);
        mark_empty_layers(&mut history, &[10, 0, 0], 1);
        assert_eq!(history.each_ref().map(|entry| entry.empty_layer), [false, true, true]);
    }

    #[test]
    fn configurations_are_compared_by_part() {
        let a = version_config(&json!({"Env": ["A=1", "B=2"], "Cmd": ["sh"], "ExposedPorts": {"80/tcp": {}},
                                       "Labels": {"x": "1"}, "Healthcheck": {"Test": ["CMD", "true"]}}));
        let b = version_config(&json!({"Env": ["A=2", "C=3"], "Cmd": ["sh"], "User": "nobody", "Entrypoint": null}));
        let found: Vec<_> = config_differences(&a, &b)
            .into_iter()
            .map(|one| (one.field, one.name.unwrap_or_default(), one.a.unwrap_or_default(), one.b.unwrap_or_default()))
            .collect();
        let row = |field, name: &str, a: &str, b: &str| (field, name.to_owned(), a.to_owned(), b.to_owned());
        assert_eq!(
            found,
            [
                row(ConfigField::Env, "A", "1", "2"),
                row(ConfigField::Env, "B", "2", ""),
                row(ConfigField::Env, "C", "", "3"),
                row(ConfigField::Port, "80/tcp", "80/tcp", ""),
                row(ConfigField::User, "", "", "nobody"),
                row(ConfigField::Healthcheck, "", "[\"CMD\",\"true\"]", ""),
                row(ConfigField::Label, "x", "1", ""),
            ]
        );
        assert!(config_differences(&a, &a).is_empty());
    }

    #[test]
    fn configurations_of_odd_tools_are_read() {
        let odd = ImageConfig::parse(br#"{"os":"linux","architecture":"arm64","variant":"","created":"never","history":null,"rootfs":{"diff_ids":null}}"#).unwrap();
        assert_eq!(odd.platform().unwrap().to_string(), "linux/arm64");
        assert!(odd.created.is_none());
        assert!(ImageConfig::parse(b"[]").is_none());
    }
}
