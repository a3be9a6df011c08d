//! What a person uploads: a Dockerfile with its context, and images.

use crate::house::{House, assert_code, assert_failure};
use serde_json::{Value, json};
use slipway_flows::image_files;
use slipway_testkit::TempDataDir;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

fn text(text: &str) -> Value {
    json!({ "kind": "text", "text": text })
}

/// Uploads a Dockerfile and waits for its build.
async fn build(house: &House, request: Value) -> Value {
    let id = house.product.must("uploads.dockerfile", marked(house, request)).await["id"].clone();
    house.over(&id).await
}

fn marked(house: &House, mut request: Value) -> Value {
    request["options"] = json!({ "labels": [{ "name": "test.flow", "value": house.mark }] });
    request
}

fn write(folder: &Path, path: &str, content: &[u8], mode: u32) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder with what contexts are made of.
fn folder(house: &House) -> TempDataDir {
    let folder = TempDataDir::new();
    write(folder.path(), "Dockerfile", house.dockerfile("COPY . /ctx/\n").as_bytes(), 0o644);
    write(folder.path(), "index.html", b"by hand\n", 0o644);
    write(folder.path(), "bin/run", b"#!/bin/sh\n", 0o755);
    write(folder.path(), "bin/again", b"#!/bin/sh\n", 0o644);
    write(folder.path(), "left/out", b"secret", 0o644);
    write(folder.path(), ".dockerignore", b"left\n", 0o644);
    std::os::unix::fs::symlink("../index.html", folder.path().join("bin/link")).unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    for sub in ["bin", "left", "empty"] {
        std::fs::set_permissions(folder.path().join(sub), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

/// Sends a file in pieces, as the console does.
async fn send(house: &House, name: &str, bytes: &[u8]) -> Value {
    use base64::Engine as _;
    let begun = house.product.must("uploads.begin", json!({ "name": name, "size": bytes.len() })).await;
    let mut offset = 0;
    for piece in bytes.chunks(1024 * 1024) {
        let data = base64::engine::general_purpose::STANDARD.encode(piece);
        let request = json!({ "id": begun["id"], "offset": offset, "data": data });
        let received = house.product.must("uploads.append", request).await;
        offset += piece.len();
        assert_eq!(received["received"], offset);
    }
    begun["id"].clone()
}

#[tokio::test]
async fn seed_0_10_an_uploaded_dockerfile_is_built_pushed_and_run_again() {
    let house = House::open().await;
    let repository = house.repository("team/upload").await;
    let dockerfile = house.dockerfile("RUN echo uploaded > /proof\r\n");
    let first = build(&house, json!({ "repository": repository, "tag": "v1", "dockerfile": text(&dockerfile) })).await;
    assert_eq!((&first["state"], &first["kind"]), (&json!("succeeded"), &json!("dockerfile")), "{first}");
    assert_eq!(house.file(&first["image"], "/proof").await, "uploaded");
    assert_eq!(first["inputs"]["upload"]["kind"], "dockerfile");
    assert!(house.registry.digest("team/upload", "v1").await.is_some());
    assert!(house.product.log_of(&first["id"]).await.contains("uploaded Dockerfile"), "it has a log");
    let page = house.product.must("versions.list", json!({ "repository": repository })).await;
    assert_eq!(page["items"][0]["build"]["kind"], "dockerfile", "{page}");

    let again = house.product.must("builds.rerun", json!({ "id": first["id"] })).await["id"].clone();
    let again = house.over(&again).await;
    assert_eq!((&again["state"], &again["image"]["content"]), (&json!("succeeded"), &first["image"]["content"]));
    for build in [&first, &again] {
        let shown = house.product.must("builds.dockerfile", json!({ "id": build["id"] })).await;
        assert_eq!((&shown["text"], &shown["commit"]), (&json!(dockerfile), &Value::Null));
    }

    // What was uploaded stays as long as a record needs it.
    let kept = house.product.data_dir().join("uploads").join(first["inputs"]["upload"]["folder"].as_str().unwrap());
    house.product.must("builds.delete", json!({ "id": first["id"] })).await;
    assert!(kept.join("Dockerfile").exists(), "the second record needs it");
    house.product.must("builds.delete", json!({ "id": again["id"] })).await;
    assert!(!kept.exists());
    house.close().await;
}

#[tokio::test]
async fn an_uploaded_folder_gives_the_image_of_docker_buildx_and_so_do_archives_of_it() {
    let house = House::open().await;
    let repository = house.repository("team/equal").await;
    let folder = folder(&house);
    let path = folder.path().to_str().unwrap();
    let dockerfile = json!({ "kind": "path", "path": folder.path().join("Dockerfile") });
    let request = |tag: &str, context: Value| json!({ "repository": repository, "tag": tag, "dockerfile": dockerfile, "context": context });
    let ours = build(&house, request("folder", json!({ "kind": "folder", "path": path }))).await;
    assert_eq!(ours["state"], "succeeded", "{ours}");

    let archive = folder.path().with_extension("tar.gz");
    let tar = std::process::Command::new("tar").args(["-C", path, "-czf"]).arg(&archive).arg(".").status().unwrap();
    assert!(tar.success());
    let bytes = std::fs::read(&archive).unwrap();
    let sent = send(&house, "context.tar.gz", &bytes).await;
    for (tag, context) in
        [("path", json!({ "kind": "archive", "path": archive })), ("sent", json!({ "kind": "sent", "id": sent }))]
    {
        let packed = build(&house, request(tag, context)).await;
        assert_eq!(packed["image"]["content"], ours["image"]["content"], "{tag}: {packed}");
    }
    std::fs::remove_file(archive).unwrap();

    // Last: the engine's cache would give the peer's layer, with the folder's own times, to builds after it.
    let theirs = format!("slipway-test/uploads:{}", house.mark);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/engine");
    let config = tokio::process::Command::new(script).arg("buildx").stdin(Stdio::null()).output().await.unwrap();
    let peer = tokio::process::Command::new("docker")
        .args(["-H", house.engine.endpoint(), "buildx", "build", "--no-cache", "--load", "--tag", &theirs, path])
        .env("DOCKER_CONFIG", String::from_utf8(config.stdout).unwrap().trim())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(peer.status.success(), "docker buildx build: {}", String::from_utf8_lossy(&peer.stderr));
    let mine = image_files(&house.engine, ours["image"]["id"].as_str().unwrap()).await;
    let peers = image_files(&house.engine, &theirs).await;
    house.engine.docker_ok(&["rmi", &theirs]).await;
    assert!(mine.keys().any(|path| path.starts_with(b"ctx/bin/run")), "the context is in the image");
    for (path, file) in &peers {
        assert_eq!(mine.get(path), Some(file), "{}", String::from_utf8_lossy(path));
    }
    assert_eq!(mine.len(), peers.len());
    house.close().await;
}

#[tokio::test]
async fn bad_dockerfiles_and_contexts_leave_no_build() {
    use base64::Engine as _;
    let house = House::open().await;
    let repository = house.repository("team/bad").await;
    let bytes =
        |bytes: &[u8]| json!({ "kind": "bytes", "data": base64::engine::general_purpose::STANDARD.encode(bytes) });
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("FROM a".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for (dockerfile, reason) in [(text(""), "empty"), (bytes(&utf16), "utf16"), (bytes(b"\x7fELF\0\0"), "binary")] {
        let request = json!({ "repository": repository, "tag": "v1", "dockerfile": dockerfile });
        let failure = house.product.call("uploads.dockerfile", request).await.unwrap_err();
        assert_code(&failure, "dockerfile_syntax");
        assert_eq!((&failure["field"], &failure["details"]["problem"]), (&json!("dockerfile"), &json!(reason)));
    }
    let good = text(&house.dockerfile(""));
    for (path, field) in [("relative/folder", "context"), ("/nowhere/at/all", "context")] {
        let context = json!({ "kind": "folder", "path": path });
        let request = json!({ "repository": repository, "tag": "v1", "dockerfile": good, "context": context });
        assert_failure(house.product.call("uploads.dockerfile", request).await, "invalid_field", Some(field));
    }
    let own = json!({ "kind": "folder", "path": house.product.data_dir().parent().unwrap() });
    let request = json!({ "repository": repository, "tag": "v1", "dockerfile": good, "context": own });
    assert_failure(house.product.call("uploads.dockerfile", request).await, "invalid_field", Some("context"));
    let sent = send(&house, "x.tar", b"no archive at all").await;
    let context = json!({ "kind": "sent", "id": sent });
    let request = json!({ "repository": repository, "tag": "v1", "dockerfile": good, "context": context });
    assert_failure(house.product.call("uploads.dockerfile", request).await, "bad_archive", Some("context"));
    assert!(house.builds(&repository).await.is_empty());
    let left: Vec<_> = std::fs::read_dir(house.product.data_dir().join("uploads")).unwrap().flatten().collect();
    assert!(left.iter().all(|one| ["sent", "scratch"].contains(&one.file_name().to_str().unwrap())), "{left:?}");
    house.close().await;
}

/// Builds a small image outside of Slipway and saves it.
async fn saved(house: &House, name: &str, platform: &str) -> std::path::PathBuf {
    let folder = TempDataDir::new();
    let file = folder.path().with_extension(format!("{}.tar", platform.replace('/', "-")));
    write(folder.path(), "Dockerfile", b"FROM scratch\nCOPY hello /hello\n", 0o644);
    write(folder.path(), "hello", name.as_bytes(), 0o644);
    let path = folder.path().to_str().unwrap();
    let label = format!("test.flow={}", house.mark);
    // 20.10's own builder knows platforms with BuildKit only.
    let built = tokio::process::Command::new("docker")
        .args(["-H", house.engine.endpoint(), "build", "--platform", platform, "--label", &label, "-t", name, path])
        .env("DOCKER_BUILDKIT", "1")
        .env("DOCKER_CONFIG", buildx().await)
        .output()
        .await
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    house.engine.docker_ok(&["save", "-o", file.to_str().unwrap(), name]).await;
    file
}

async fn buildx() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/engine");
    let output = tokio::process::Command::new(script).arg("buildx").stdin(Stdio::null()).output().await.unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn seed_4_1_and_4_12_images_uploaded_by_hand_are_versions_with_their_origin() {
    let house = House::open().await;
    let repository = house.repository("team/hand").await;
    let name = format!("slipway-test/hand:{}", house.mark);
    let file = saved(&house, &name, "linux/amd64").await;
    let id = house.engine.image_id(&name).await.unwrap();

    // A local image, found by its name.
    let images = house.product.must("engine.images", json!({ "search": house.mark })).await;
    assert_eq!(images[0]["tags"], json!([name]), "{images}");
    let upload = |tag: &str, source: Value| json!({ "repository": repository, "tag": tag, "source": source });
    let started = house.product.must("uploads.image", upload("local", json!({ "kind": "local", "name": name }))).await;
    let local = house.over(&started["id"]).await;
    assert_eq!((&local["state"], &local["kind"]), (&json!("succeeded"), &json!("upload")), "{local}");
    assert_eq!(local["image"]["id"], id.as_str());

    // The archive, when the engine does not have the image any more: by its path, and sent in pieces.
    house.engine.docker(&["rmi", &name, &format!("{}/team/hand:local", house.registry.host())]).await;
    let archive = json!({ "kind": "archive", "path": file });
    let inside = house.product.must("uploads.archive_images", json!({ "source": archive })).await;
    assert_eq!((&inside[0]["names"], &inside[0]["platform"]["os"]), (&json!([name]), &json!("linux")), "{inside}");
    let bytes = std::fs::read(&file).unwrap();
    let sent = json!({ "kind": "sent", "id": send(&house, "hand.tar", &bytes).await });
    let oci = json!({ "kind": "archive", "path": oci_layout(&file) });
    for (tag, source) in [("archive", archive.clone()), ("sent", sent), ("oci", oci)] {
        let started = house.product.must("uploads.image", upload(tag, source)).await;
        let build = house.over(&started["id"]).await;
        assert_eq!(build["state"], "succeeded", "{tag}: {build} {}", house.product.log_of(&started["id"]).await);
        assert_eq!(build["image"]["content"], local["image"]["content"], "{tag}");
    }
    assert_eq!(house.engine.image_id(&name).await, None, "an archive names nothing on the engine");
    let page = house.product.must("versions.list", json!({ "repository": repository })).await;
    let origins: Vec<_> = page["items"].as_array().unwrap().iter().map(|one| &one["origin"]).collect();
    assert_eq!(origins, [&json!("uploaded"); 4], "{page}");

    // Without the named image, damaged, cut, of another platform.
    let mut request = upload("bad", archive);
    request["image"] = json!("nobody/knows:this");
    assert_failure(house.product.call("uploads.image", request).await, "bad_archive", Some("image"));
    let broken = file.with_extension("broken");
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    let cut = upload("bad", json!({ "kind": "archive", "path": broken }));
    assert_failure(house.product.call("uploads.image", cut).await, "bad_archive", Some("source"));
    std::fs::write(&broken, b"FROM scratch\n").unwrap();
    let text = upload("bad", json!({ "kind": "archive", "path": broken }));
    assert_failure(house.product.call("uploads.image", text).await, "bad_archive", Some("source"));
    let other_name = format!("slipway-test/hand-arm:{}", house.mark);
    let other = saved(&house, &other_name, "linux/arm64").await;
    let mut request = upload("arm", json!({ "kind": "archive", "path": other }));
    assert_failure(house.product.call("uploads.image", request.clone()).await, "image_platform", Some("source"));
    request["other_platform"] = json!(true);
    let started = house.product.must("uploads.image", request).await;
    assert_eq!(house.over(&started["id"]).await["state"], "succeeded", "on a person's word it is taken");

    // A layer that was changed: the engine finds it out, and the build says so.
    let changed_name = format!("slipway-test/hand-changed:{}", house.mark);
    let original = saved(&house, &changed_name, "linux/amd64").await;
    house.engine.docker_ok(&["rmi", &changed_name]).await;
    let mut changed = std::fs::read(&original).unwrap();
    std::fs::remove_file(original).unwrap();
    let word = changed_name.as_bytes();
    let place = changed.windows(word.len()).position(|part| part == word).unwrap();
    changed[place] ^= 1;
    std::fs::write(&broken, &changed).unwrap();
    let request = upload("changed", json!({ "kind": "archive", "path": broken }));
    let started = house.product.must("uploads.image", request).await;
    assert_code(&house.over(&started["id"]).await["failure"], "bad_archive");
    for file in [file.clone(), other, broken, file.with_extension("oci.tar")] {
        std::fs::remove_file(file).unwrap();
    }
    house.engine.docker(&["rmi", &other_name]).await;
    house.close().await;
}

/// Writes what `docker save` wrote as an OCI layout, its layer packed.
fn oci_layout(saved: &Path) -> std::path::PathBuf {
    use sha2::Digest as _;
    use std::io::{Read as _, Write as _};
    let mut files = std::collections::HashMap::new();
    for entry in tar::Archive::new(std::fs::File::open(saved).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(entry.path().unwrap().to_str().unwrap().to_owned(), bytes);
    }
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let config = files[manifest[0]["Config"].as_str().unwrap()].clone();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&files[manifest[0]["Layers"][0].as_str().unwrap()]).unwrap();
    let layer = packed.finish().unwrap();
    let target = saved.with_extension("oci.tar");
    let mut builder = tar::Builder::new(std::fs::File::create(&target).unwrap());
    let mut put = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes).unwrap();
    };
    let blob = |bytes: &[u8]| hex::encode(sha2::Sha256::digest(bytes));
    let (config_digest, layer_digest) = (blob(&config), blob(&layer));
    let inner = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": format!("sha256:{config_digest}"), "size": config.len() },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": format!("sha256:{layer_digest}"), "size": layer.len() }],
    })
    .to_string();
    let inner_digest = blob(inner.as_bytes());
    let index = json!({ "schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": format!("sha256:{inner_digest}"), "size": inner.len(),
        "annotations": { "org.opencontainers.image.ref.name": "v1" },
    }] });
    put("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    put("index.json", index.to_string().as_bytes());
    put(&format!("blobs/sha256/{inner_digest}"), inner.as_bytes());
    put(&format!("blobs/sha256/{config_digest}"), &config);
    put(&format!("blobs/sha256/{layer_digest}"), &layer);
    builder.finish().unwrap();
    target
}
