//! What a registry holds under a tag, compared with the image that was built.

use super::Run;
use bytes::Bytes;
use slipway_core::Failure;
use slipway_core::image::{ImageId, RegistryAccess};
use slipway_core::ports::ManifestHead;

/// A manifest at the registry.
pub(super) struct Held {
    pub(super) head: ManifestHead,
    pub(super) bytes: Bytes,
}

impl Held {
    /// Returns whether this is the image with that id: by its manifest (containerd store) or its configuration (graph
    /// drivers).
    pub(super) fn is(&self, image: &ImageId) -> bool {
        if self.head.digest.as_str() == image.0 {
            return true;
        }
        let manifest: serde_json::Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        manifest.pointer("/config/digest").and_then(serde_json::Value::as_str) == Some(&image.0)
    }
}

impl Run<'_> {
    /// Returns what the registry holds under a tag or digest.
    pub(super) async fn held(&self, access: &RegistryAccess, reference: &str) -> Result<Option<Held>, Failure> {
        let found = self.parts.ports.registries.manifest(access, &self.repository.spec.name, reference).await?;
        Ok(found.map(|(head, bytes)| Held { head, bytes }))
    }
}
