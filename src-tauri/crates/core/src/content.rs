//! Content identity: what an image holds, whatever its labels of ours, its history and its creation time
//! (`product.md` section 1). Equal for the same image on every engine from 20.10 to 29.

use crate::image::{ContentIdentity, Platform};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The fields of an image's configuration that change what a container does (OCI image specification, and Docker's
/// additions). Engines differ in what else they report: `Image`, `Hostname`, `ContainerConfig`, `ArgsEscaped`, ….
const FIELDS: [&str; 12] = [
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "Healthcheck",
    "Shell",
    "OnBuild",
];

/// The labels that Slipway writes itself, apart from its own `slipway.*`.
pub const STANDARD_LABELS: [&str; 5] = [
    "org.opencontainers.image.source",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.version",
    "org.opencontainers.image.ref.name",
    "org.opencontainers.image.created",
];

/// Returns the identity of an image's content.
///
/// `diff_ids` are its layers in order; `config` is the `config` object of its configuration, or `Config` of the engine's
/// inspect answer: both spell their fields alike. Absent, `null`, empty and zero are the same.
#[must_use]
pub fn content_identity(diff_ids: &[String], platform: &Platform, config: &Value) -> ContentIdentity {
    let mut kept = Map::new();
    for field in FIELDS {
        let value = match (field, config.get(field)) {
            (_, None) => continue,
            // An image without a working directory works in the root.
            ("WorkingDir", Some(Value::String(path))) if path == "/" => continue,
            ("Labels", Some(Value::Object(labels))) => Value::Object(foreign_labels(labels)),
            ("Healthcheck", Some(Value::Object(check))) => {
                Value::Object(check.iter().filter(|(_, value)| !is_nothing(value)).map(owned).collect())
            }
            (_, Some(value)) => value.clone(),
        };
        if !is_nothing(&value) {
            kept.insert(field.to_owned(), value);
        }
    }
    // 64-bit ARM has one variant in practice, and only some engines write it down.
    let variant = platform.variant.as_deref().filter(|variant| !(platform.architecture == "arm64" && *variant == "v8"));
    let mut text = String::new();
    let identity = serde_json::json!({
        "os": platform.os,
        "architecture": platform.architecture,
        "variant": variant.unwrap_or_default(),
        "diff_ids": diff_ids,
        "config": kept,
    });
    write_canonical(&identity, &mut text);
    ContentIdentity(hex::encode(Sha256::digest(text)))
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

fn foreign_labels(labels: &Map<String, Value>) -> Map<String, Value> {
    let ours = |name: &str| name.starts_with("slipway.") || STANDARD_LABELS.contains(&name);
    labels.iter().filter(|(name, _)| !ours(name)).map(owned).collect()
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Writes JSON with sorted keys and without white space.
fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            text.push('{');
            for name in names {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write_canonical(&fields[name], text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use pretty_assertions::{assert_eq, assert_ne};
    use serde_json::json;

    fn identity(layers: &[&str], platform: &str, config: &Value) -> ContentIdentity {
        let layers: Vec<String> = layers.iter().map(|layer| (*layer).to_owned()).collect();
        content_identity(&layers, &platform.parse().unwrap(), config)
    }

    fn base() -> Value {
        json!({"Env": ["PATH=/bin", "A=1"], "Cmd": ["sh"], "Labels": {"team": "x"}, "ExposedPorts": {"80/tcp": {}, "81/tcp": {}}})
    }

    #[test]
    fn noise_of_engines_and_our_own_labels_do_not_count() {
        let expected = identity(&["sha256:1", "sha256:2"], "linux/amd64", &base());
        assert_eq!(expected.0.len(), 64);
        let changes: &[(&str, Value)] = &[
            ("Hostname", json!("3f2a")),
            ("Domainname", json!("")),
            ("Image", json!("sha256:9")),
            ("AttachStdout", json!(true)),
            ("ArgsEscaped", json!(true)),
            ("OnBuild", json!(null)),
            ("Volumes", json!({})),
            ("Entrypoint", json!([])),
            ("User", json!("")),
            ("WorkingDir", json!("/")),
            ("ExposedPorts", json!({"81/tcp": {}, "80/tcp": {}})),
            (
                "Labels",
                json!({"org.opencontainers.image.revision": "a", "slipway.build": "7", "team": "x",
                       "org.opencontainers.image.created": "b", "org.opencontainers.image.source": "c",
                       "org.opencontainers.image.version": "d", "org.opencontainers.image.ref.name": "e"}),
            ),
        ];
        for (field, value) in changes {
            let mut config = base();
            config[field] = value.clone();
            assert_eq!(identity(&["sha256:1", "sha256:2"], "linux/amd64", &config), expected, "{field}");
        }
    }

    #[test]
    fn everything_that_a_container_feels_counts() {
        let layers = ["sha256:1", "sha256:2"];
        let expected = identity(&layers, "linux/amd64", &base());
        let changes: &[(&str, Value)] = &[
            ("Env", json!(["A=1", "PATH=/bin"])),
            ("Env", json!(["PATH=/bin", "A="])),
            ("Cmd", json!(["bash"])),
            ("Entrypoint", json!(["/init"])),
            ("User", json!("nobody")),
            ("WorkingDir", json!("/srv")),
            ("ExposedPorts", json!({"80/tcp": {}})),
            ("Volumes", json!({"/data": {}})),
            ("StopSignal", json!("SIGINT")),
            ("Healthcheck", json!({"Test": ["CMD", "true"]})),
            ("Shell", json!(["/bin/bash", "-c"])),
            ("OnBuild", json!(["RUN x"])),
            ("Labels", json!({"team": "x", "slipwayish": ""})),
            ("Labels", json!({"team": "x", "org.opencontainers.image.title": "t"})),
        ];
        for (field, value) in changes {
            let mut config = base();
            config[field] = value.clone();
            assert_ne!(identity(&layers, "linux/amd64", &config), expected, "{field}");
        }
        assert_ne!(identity(&["sha256:2", "sha256:1"], "linux/amd64", &base()), expected);
        assert_ne!(identity(&["sha256:1"], "linux/amd64", &base()), expected);
        assert_ne!(identity(&layers, "linux/arm64", &base()), expected);
    }

    #[test]
    fn zeros_of_a_health_check_and_the_arm_variant_are_the_same_as_absent() {
        let short = json!({"Healthcheck": {"Test": ["CMD", "true"], "Interval": 5}});
        let long = json!({"Healthcheck": {"Interval": 5, "Test": ["CMD", "true"], "Retries": 0, "StartPeriod": 0}});
        assert_eq!(identity(&[], "linux/arm64", &short), identity(&[], "linux/arm64/v8", &long));
        assert_ne!(identity(&[], "linux/arm/v6", &short), identity(&[], "linux/arm/v7", &short));
        assert_eq!(identity(&[], "linux/amd64", &Value::Null), identity(&[], "linux/amd64", &json!({})));
    }
}
