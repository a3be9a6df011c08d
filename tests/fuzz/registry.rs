//! What a registry answers.

use super::recipe::Recipe;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::Url;
use slipway_core::image_config::{ImageConfig, layers_with_instructions, version_config};
use slipway_registry::fuzzing;

/// An answer that is no success: a failure of bounded length in plain characters, and no promise beyond a day.
pub(super) fn answer(bytes: &[u8]) {
    let mut recipe = Recipe(bytes);
    let status = 300 + u16::from(recipe.byte()) + u16::from(recipe.byte());
    let Ok(status) = StatusCode::from_u16(status) else { return };
    let mut headers = HeaderMap::new();
    for name in ["content-type", "retry-after", "docker-content-digest"] {
        if let Ok(value) = HeaderValue::from_bytes(recipe.bytes()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let failure = fuzzing::failure_of(status, &headers, recipe.0);
    super::can_be_shown(&failure);
    assert!(failure.message.chars().count() < 500, "a message of {} bytes", failure.message.len());
    if let Some(wait) = failure.details.get("retry_after") {
        let seconds: i64 = wait.parse().expect("it is a number");
        assert!((0..=24 * 60 * 60).contains(&seconds), "a wait of {seconds} s");
    }
}

/// Headers: next pages stay with the registry, challenges have plain schemes.
pub(super) fn headers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for (scheme, parameters) in fuzzing::challenges(&text) {
        assert!(!scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','));
        assert!(parameters.iter().flatten().all(|value| value.len() <= text.len()));
    }
    let base = Url::parse("https://r.example:8443/v2/team/app/tags/list?n=100").expect("it is one");
    for next in [fuzzing::next_page(&base, &text), slipway_hosts::fuzzing::next_page(&base, &text)] {
        let Some(next) = next else { continue };
        assert_eq!(next.origin(), base.origin(), "the next page leads away");
        assert!(next.username().is_empty() && next.password().is_none() && next.fragment().is_none());
    }
}

/// An image's configuration: each of its layers is shown once, with what made it.
pub(super) fn image_config(bytes: &[u8]) {
    let Some(config) = ImageConfig::parse(bytes) else { return };
    let _ = config.platform();
    let _ = version_config(&config.config);
    let layers: Vec<(String, u64)> =
        config.rootfs.diff_ids.iter().flatten().map(|id| (id.clone(), id.len() as u64)).collect();
    let history = config.history.clone().unwrap_or_default();
    let (rows, _) = layers_with_instructions(&layers, &history);
    let shown: Vec<&String> = rows.iter().filter_map(|row| row.digest.as_ref()).collect();
    assert_eq!(shown, layers.iter().map(|(digest, _)| digest).collect::<Vec<_>>(), "layers are lost or doubled");
    assert!(rows.len() <= layers.len() + history.len());
}
