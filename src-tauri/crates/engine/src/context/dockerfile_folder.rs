//! The folder that the engine reads the Dockerfile from. It exists only here: the Dockerfile and, beside it, its ignore file,
//! which the engine's frontend prefers to the context's `.dockerignore`.

use bytes::{Buf, Bytes};
use sha2::{Digest, Sha256};
use slipway_core::Failure;
use slipway_core::ports::{ContentId, ContextEntry, ContextKind, ContextTree};

/// The Dockerfile's name in this folder, whatever it is called in the repository.
pub(crate) const DOCKERFILE: &str = "Dockerfile";
const IGNORE: &str = "Dockerfile.dockerignore";

/// One or two files in memory.
pub(crate) struct DockerfileFolder {
    files: Vec<(&'static str, ContentId, Bytes)>,
}

impl DockerfileFolder {
    /// Makes the folder.
    pub(crate) fn new(dockerfile: Bytes, ignore: Option<Bytes>) -> Self {
        let files = std::iter::once((DOCKERFILE, dockerfile)).chain(ignore.map(|ignore| (IGNORE, ignore)));
        Self { files: files.map(|(name, bytes)| (name, ContentId(Sha256::digest(&bytes).to_vec()), bytes)).collect() }
    }
}

impl ContextTree for DockerfileFolder {
    fn list(&self, folder: &str) -> Result<Vec<ContextEntry>, Failure> {
        if !folder.is_empty() {
            return Ok(Vec::new());
        }
        let entry = |(name, id, bytes): &(&str, ContentId, Bytes)| ContextEntry {
            name: (*name).to_owned(),
            kind: ContextKind::File { id: id.clone(), size: bytes.len() as u64, executable: false },
        };
        Ok(self.files.iter().map(entry).collect())
    }

    fn open(&self, id: &ContentId) -> Result<Box<dyn std::io::Read + Send>, Failure> {
        let found = self.files.iter().find(|(_, known, _)| known == id);
        let (_, _, bytes) = found.ok_or_else(|| Failure::internal("an unknown file of the Dockerfile's folder"))?;
        Ok(Box::new(bytes.clone().reader()))
    }
}
