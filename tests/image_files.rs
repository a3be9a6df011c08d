//! What an image holds, read from the engine's own export.

use sha2::{Digest as _, Sha256};
use slipway_testkit::Engine;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::{Command, Stdio};

/// Everything about one path of an image that a program in it can see, except times (a commit has none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    /// File, folder, link, device: the tar header's type byte.
    pub kind: u8,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub owner: (u64, u64),
    /// Where a link points.
    pub link: Option<Vec<u8>>,
    /// SHA-256 of the content, for files.
    pub content: Option<String>,
}

/// Returns every path of an image, `/dev`, `/proc` and the files that the engine mounts itself left out.
///
/// # Panics
/// When the engine does not export it.
pub async fn image_files(engine: &Engine, image: &str) -> BTreeMap<Vec<u8>, ImageFile> {
    let container = engine.docker_ok(&["create", "--label", "slipway.test=export", image, "true"]).await;
    let endpoint = engine.endpoint().to_owned();
    let exported = container.trim().to_owned();
    let files = tokio::task::spawn_blocking(move || read_export(&endpoint, &exported)).await.expect("reading ends");
    engine.docker_ok(&["rm", container.trim()]).await;
    files
}

fn read_export(endpoint: &str, container: &str) -> BTreeMap<Vec<u8>, ImageFile> {
    let mut child = Command::new("docker")
        .args(["-H", endpoint, "export", container])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the docker client starts");
    let mut archive = tar::Archive::new(child.stdout.take().expect("it was piped"));
    let mut files = BTreeMap::new();
    for entry in archive.entries().expect("an export is a tar") {
        let mut entry = entry.expect("an export is a whole tar");
        let path = entry.path_bytes().into_owned();
        let of_the_engine: &[&[u8]] = &[b"dev/", b"proc/", b"sys/", b".dockerenv", b"etc/"];
        if of_the_engine.iter().any(|own| path.starts_with(own)) {
            continue;
        }
        let header = entry.header();
        let number = |value: std::io::Result<u64>| value.expect("a tar header has its numbers");
        let (kind, mode) = (header.entry_type().as_byte(), header.mode().expect("a tar header has a mode"));
        let owner = (number(header.uid()), number(header.gid()));
        let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
        let content = header.entry_type().is_file().then(|| {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("an export is a whole tar");
            hex::encode(Sha256::digest(&bytes))
        });
        files.insert(path, ImageFile { kind, mode, owner, link, content });
    }
    assert!(child.wait().expect("the docker client ends").success(), "docker export {container} failed");
    files
}
