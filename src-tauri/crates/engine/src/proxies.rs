//! The Docker client's `proxies` setting as build arguments.

use slipway_core::rule::NameValue;
use std::collections::HashMap;

#[derive(serde::Deserialize)]
struct Config {
    #[serde(default)]
    proxies: HashMap<String, Proxies>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proxies {
    http_proxy: Option<String>,
    https_proxy: Option<String>,
    no_proxy: Option<String>,
    ftp_proxy: Option<String>,
    all_proxy: Option<String>,
}

/// Reads the proxies for an engine out of the Docker client's `config.json`: the entry of this endpoint, else `default`.
/// Each comes in capitals and in small letters, as the Docker client passes them. Nothing when the file cannot be read.
#[must_use]
pub fn proxy_build_args(config_json: &str, endpoint: &str) -> Vec<NameValue> {
    let Ok(mut config) = serde_json::from_str::<Config>(config_json) else { return Vec::new() };
    let Some(proxies) = config.proxies.remove(endpoint).or_else(|| config.proxies.remove("default")) else {
        return Vec::new();
    };
    [
        ("HTTP_PROXY", proxies.http_proxy),
        ("HTTPS_PROXY", proxies.https_proxy),
        ("NO_PROXY", proxies.no_proxy),
        ("FTP_PROXY", proxies.ftp_proxy),
        ("ALL_PROXY", proxies.all_proxy),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
    .flat_map(|(name, value)| {
        [name.to_owned(), name.to_ascii_lowercase()].map(|name| NameValue { name, value: value.clone() })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(config: &str, endpoint: &str) -> Vec<String> {
        proxy_build_args(config, endpoint).into_iter().map(|arg| format!("{}={}", arg.name, arg.value)).collect()
    }

    #[test]
    fn the_endpoints_own_entry_wins_over_default() {
        let config = r#"{"proxies": {
            "default": {"httpProxy": "http://p:1", "noProxy": "a,b", "httpsProxy": ""},
            "tcp://h:2376": {"httpsProxy": "http://q:2"}}}"#;
        assert_eq!(
            args(config, "unix:///var/run/docker.sock"),
            ["HTTP_PROXY=http://p:1", "http_proxy=http://p:1", "NO_PROXY=a,b", "no_proxy=a,b"]
        );
        assert_eq!(args(config, "tcp://h:2376"), ["HTTPS_PROXY=http://q:2", "https_proxy=http://q:2"]);
        for nothing in ["", "{}", "[]", "{\"proxies\": 1}"] {
            assert!(args(nothing, "x").is_empty(), "{nothing}");
        }
    }
}
