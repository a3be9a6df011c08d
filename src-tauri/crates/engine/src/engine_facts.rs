//! What an engine is: version, platform, store, registries it treats specially, disk; and whether it can build for us.

use crate::client::EngineClient;
use crate::typed_calls::bounded;
use bollard::models::{SystemInfo, SystemVersion};
use slipway_core::image::Platform;
use slipway_core::ports::EngineInfo;
use slipway_core::{ErrorCode, Failure};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The API of engine 20.10, the oldest whose BuildKit this product speaks to.
const OLDEST_API: (u32, u32) = (1, 41);
/// Counting a store takes long on a full engine: it is asked rarely, and not waited for.
const DISK_DEADLINE: Duration = Duration::from_secs(2);
const DISK_KEPT: Duration = Duration::from_secs(5 * 60);

pub(crate) struct EngineFacts {
    client: EngineClient,
    docker: bollard::Docker,
    context: Option<String>,
    deadline: Duration,
    /// Version of the engine that was seen to have BuildKit.
    builder_seen: Mutex<Option<String>>,
    disk: Mutex<Option<(Instant, Option<u64>)>>,
}

impl EngineFacts {
    pub(crate) fn new(
        client: EngineClient,
        docker: bollard::Docker,
        context: Option<String>,
        deadline: Duration,
    ) -> Self {
        Self { client, docker, context, deadline, builder_seen: Mutex::default(), disk: Mutex::default() }
    }

    /// Asks the engine; refuses one that cannot build for us. Disk use is left out.
    pub(crate) async fn read(&self) -> Result<EngineInfo, Failure> {
        let (version, info) = tokio::try_join!(
            bounded(self.deadline, self.docker.version()),
            bounded(self.deadline, self.docker.info())
        )?;
        let facts = facts(&version, info, self.client.transport().endpoint(), self.context.clone())?;
        self.require_builder(&facts.version).await?;
        Ok(facts)
    }

    /// `/grpc` is BuildKit's door. Without an upgrade it answers with an error; where it is missing, so is BuildKit.
    async fn require_builder(&self, version: &str) -> Result<(), Failure> {
        if self.builder_seen.lock().is_ok_and(|seen| seen.as_deref() == Some(version)) {
            return Ok(());
        }
        let answer = self.client.call(http::Method::POST, "/grpc").await?;
        if answer.status == http::StatusCode::NOT_FOUND {
            return Err(unsupported(version, "it has no BuildKit"));
        }
        if let Ok(mut seen) = self.builder_seen.lock() {
            *seen = Some(version.to_owned());
        }
        Ok(())
    }

    /// Bytes of images and build cache; a value at most five minutes old, `None` when counting takes too long.
    pub(crate) async fn disk_bytes(&self) -> Option<u64> {
        if let Some((at, bytes)) = self.disk.lock().ok().and_then(|disk| *disk)
            && at.elapsed() < DISK_KEPT
        {
            return bytes;
        }
        let call = self.client.call(http::Method::GET, "/system/df?type=image&type=build-cache");
        let answer = tokio::time::timeout(DISK_DEADLINE, call).await.ok().and_then(Result::ok);
        let bytes = answer.filter(|a| a.status.is_success()).and_then(|a| a.json::<DiskUse>().ok()).map(|d| d.bytes());
        if let Ok(mut disk) = self.disk.lock() {
            *disk = Some((Instant::now(), bytes));
        }
        bytes
    }
}

fn unsupported(version: &str, why: &str) -> Failure {
    Failure::new(ErrorCode::EngineUnsupported, format!("the engine {version} cannot be used: {why}"))
        .with("version", version)
        .with("reason", why)
}

fn facts(
    version: &SystemVersion,
    info: SystemInfo,
    endpoint: String,
    context: Option<String>,
) -> Result<EngineInfo, Failure> {
    let number = version.version.clone().unwrap_or_else(|| "of unknown version".to_owned());
    let api_version = version.api_version.clone().unwrap_or_default();
    let api = api_version.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    if api.is_none_or(|api: (u32, u32)| api < OLDEST_API) {
        return Err(unsupported(&number, "it is older than 20.10").with("api_version", api_version));
    }
    let os = version.os.clone().or(info.os_type).unwrap_or_default();
    if os != "linux" {
        return Err(unsupported(&number, "it runs Windows containers"));
    }
    let machine = info.architecture.unwrap_or_default();
    let architecture = version.arch.clone().unwrap_or_else(|| machine.clone());
    let variant = match (architecture.as_str(), machine.as_str()) {
        ("arm", "armv6l") => Some("v6".to_owned()),
        ("arm", _) => Some("v7".to_owned()),
        _ => None,
    };
    let store = info.driver_status.unwrap_or_default();
    let containerd_store =
        store.iter().any(|pair| pair.len() == 2 && pair[0] == "driver-type" && pair[1].starts_with("io.containerd."));

    let registries = info.registry_config;
    let mut insecure_registries = Vec::new();
    let mut mirrors = Vec::new();
    if let Some(config) = registries {
        insecure_registries.extend(config.insecure_registry_cidrs.unwrap_or_default());
        let mut hosts: Vec<_> = config.index_configs.unwrap_or_default().into_iter().collect();
        hosts.sort_by(|(a, _), (b, _)| a.cmp(b));
        insecure_registries.extend(hosts.into_iter().filter(|(_, index)| index.secure == Some(false)).map(|(h, _)| h));
        mirrors.extend(config.mirrors.unwrap_or_default());
    }
    Ok(EngineInfo {
        version: number,
        api_version,
        platform: Platform { os, architecture, variant },
        endpoint,
        context,
        containerd_store,
        insecure_registries,
        mirrors,
        disk_bytes: None,
    })
}

/// `/system/df` before API 1.52 and after; the totals moved. Not read through bollard, whose type knows the new form only.
#[derive(serde::Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct DiskUse {
    layers_size: Option<i64>,
    builder_size: Option<i64>,
    build_cache: Option<Vec<CacheEntry>>,
    image_usage: Option<Total>,
    build_cache_usage: Option<Total>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CacheEntry {
    #[serde(default)]
    size: i64,
    #[serde(default)]
    shared: bool,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Total {
    #[serde(default)]
    total_size: i64,
}

impl DiskUse {
    fn bytes(&self) -> u64 {
        let images = self.image_usage.as_ref().map(|total| total.total_size).or(self.layers_size).unwrap_or(0);
        u64::try_from(images).unwrap_or(0).saturating_add(self.cache_bytes())
    }

    /// Bytes of the build cache.
    pub(crate) fn cache_bytes(&self) -> u64 {
        // Entries that share their bytes with an image are counted there.
        let entries = || self.build_cache.as_ref().map(|all| all.iter().filter(|e| !e.shared).map(|e| e.size).sum());
        let cache =
            self.build_cache_usage.as_ref().map(|t| t.total_size).or_else(entries).or(self.builder_size).unwrap_or(0);
        u64::try_from(cache).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn read(version: serde_json::Value, info: serde_json::Value) -> Result<EngineInfo, Failure> {
        let version = serde_json::from_value(version).unwrap();
        facts(&version, serde_json::from_value(info).unwrap(), "unix:///x".into(), None)
    }

    #[test]
    fn engines_are_told_apart() {
        let old = read(
            json!({"Version": "20.10.24", "ApiVersion": "1.41", "Os": "linux", "Arch": "amd64"}),
            json!({"DriverStatus": [["Backing Filesystem", "extfs"]], "Architecture": "x86_64",
                "RegistryConfig": {"InsecureRegistryCIDRs": ["127.0.0.0/8"], "Mirrors": ["https://mirror.example/"],
                    "IndexConfigs": {"docker.io": {"Secure": true}, "reg.example:5000": {"Secure": false}}}}),
        )
        .unwrap();
        assert_eq!(old.platform.to_string(), "linux/amd64");
        assert!(!old.containerd_store);
        assert_eq!(old.insecure_registries, ["127.0.0.0/8", "reg.example:5000"]);
        assert_eq!(old.mirrors, ["https://mirror.example/"]);

        let new = read(
            json!({"Version": "29.0.0", "ApiVersion": "1.52", "Os": "linux", "Arch": "arm"}),
            json!({"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]], "Architecture": "armv7l"}),
        )
        .unwrap();
        assert!(new.containerd_store);
        assert_eq!(new.platform.to_string(), "linux/arm/v7");
    }

    #[test]
    fn unusable_engines_are_refused() {
        for version in [
            json!({"Version": "19.03.1", "ApiVersion": "1.40", "Os": "linux", "Arch": "amd64"}),
            json!({"Version": "28.0.0", "ApiVersion": "1.48", "Os": "windows", "Arch": "amd64"}),
            json!({}),
        ] {
            assert_eq!(read(version.clone(), json!({})).unwrap_err().code, ErrorCode::EngineUnsupported, "{version}");
        }
    }

    #[test]
    fn disk_use_in_its_old_and_new_form() {
        for (answer, bytes) in [
            (json!({"LayersSize": 100, "BuilderSize": 7, "BuildCache": null}), 107),
            (
                json!({"LayersSize": 100, "BuildCache": [{"Size": 5, "Shared": false}, {"Size": 9, "Shared": true}]}),
                105,
            ),
            (json!({"ImageUsage": {"TotalSize": 3}, "BuildCacheUsage": {"TotalSize": 4}}), 7),
            (json!({}), 0),
        ] {
            assert_eq!(serde_json::from_value::<DiskUse>(answer.clone()).unwrap().bytes(), bytes, "{answer}");
        }
    }
}
