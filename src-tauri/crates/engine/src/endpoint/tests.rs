#![allow(clippy::unwrap_used)]
use super::*;

struct Desk {
    folder: tempfile::TempDir,
    surroundings: Surroundings,
}

impl Desk {
    fn new(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.replace("ROOT", root.to_str().unwrap())))
            .collect();
        let surroundings = Surroundings { environment, home: root.join("home"), root: root.to_owned() };
        Self { folder, surroundings }
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn context(self, name: &str, host: &str) -> Self {
        let id = hex::encode(Sha256::digest(name));
        let meta = serde_json::json!({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": false}}});
        self.file(&format!("home/.docker/contexts/meta/{id}/meta.json"), &meta.to_string())
    }

    /// The address without the temporary folder, and the context.
    fn find(&self, choice: Option<&str>) -> (String, Option<String>) {
        let found = self.surroundings.endpoint(choice).unwrap();
        (found.address.replace(self.folder.path().to_str().unwrap(), ""), found.context)
    }

    fn code(&self, choice: Option<&str>) -> ErrorCode {
        self.surroundings.endpoint(choice).unwrap_err().code
    }
}

#[test]
fn the_order_is_the_docker_clients() {
    let config = r#"{"currentContext": "configured"}"#;
    let full = |environment: &[(&str, &str)]| {
        Desk::new(environment)
            .file("home/.docker/config.json", config)
            .file("var/run/docker.sock", "")
            .context("configured", "unix:///configured.sock")
            .context("named", "unix:///named.sock")
    };
    let with = |context: &str| Some(context.to_owned());
    assert_eq!(full(&[]).find(None), ("unix:///configured.sock".into(), with("configured")));
    assert_eq!(full(&[]).find(Some("local")), ("unix:///configured.sock".into(), with("configured")));
    assert_eq!(full(&[("DOCKER_CONTEXT", "named")]).find(None), ("unix:///named.sock".into(), with("named")));
    assert_eq!(full(&[("DOCKER_CONTEXT", "default")]).find(None), ("unix:///var/run/docker.sock".into(), None));
    let host = full(&[("DOCKER_CONTEXT", "named"), ("DOCKER_HOST", "unix:///host.sock")]);
    assert_eq!(host.find(None), ("unix:///host.sock".into(), None));
    assert_eq!(host.find(Some("context:configured")), ("unix:///configured.sock".into(), with("configured")));
    assert_eq!(host.find(Some("context:default")), ("unix:///var/run/docker.sock".into(), None));
    assert_eq!(host.surroundings.contexts(), ["configured", "named"]);
}

#[test]
fn sockets_are_tried_in_order() {
    let order = [
        "var/run/docker.sock",
        "runtime/docker.sock",
        "home/.docker/run/docker.sock",
        "home/.docker/desktop/docker.sock",
        "home/.colima/default/docker.sock",
        "home/.orbstack/run/docker.sock",
        "home/.rd/docker.sock",
        "runtime/podman/podman.sock",
        "run/podman/podman.sock",
    ];
    for first in 0..order.len() {
        let desk = Desk::new(&[("XDG_RUNTIME_DIR", "ROOT/runtime")]);
        let desk = order[first..].iter().fold(desk, |desk, path| desk.file(path, ""));
        assert_eq!(desk.find(None).0, format!("unix:///{}", order[first]));
    }
    let nothing = Desk::new(&[]);
    assert_eq!(nothing.code(None), ErrorCode::EngineAbsent);
    assert!(nothing.surroundings.contexts().is_empty());
}

#[test]
fn choices_and_contexts_that_do_not_work() {
    let desk = Desk::new(&[]).file("var/run/docker.sock", "");
    assert_eq!(desk.code(Some("remote")), ErrorCode::InvalidField);
    assert_eq!(desk.code(Some("context:")), ErrorCode::InvalidField);
    assert_eq!(desk.code(Some("context:gone")), ErrorCode::EngineAbsent);
    assert_eq!(desk.code(Some("context:../../x")), ErrorCode::EngineAbsent);
    let damaged = desk.file("home/.docker/config.json", "{ not json");
    assert_eq!(damaged.find(None), ("unix:///var/run/docker.sock".into(), None));
}

#[test]
fn certificates_come_from_the_context_or_the_environment() {
    let id = hex::encode(Sha256::digest("remote"));
    let desk =
        Desk::new(&[("DOCKER_HOST", "tcp://h:2376"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "ROOT/certs")])
            .context("remote", "tcp://build.example:2376")
            .context("plain", "tcp://build.example:2375")
            .file(&format!("home/.docker/contexts/tls/{id}/docker/ca.pem"), "context ca")
            .file("certs/ca.pem", "env ca")
            .file("certs/cert.pem", "env cert")
            .file("certs/key.pem", "env key");
    let tls = |choice| desk.surroundings.endpoint(choice).unwrap().tls;
    assert_eq!(tls(Some("context:remote")).unwrap().ca.unwrap(), b"context ca");
    assert_eq!(tls(None).unwrap().key.unwrap(), b"env key");
    assert!(tls(Some("context:plain")).is_none());
    let shown = format!("{:?}", desk.surroundings.endpoint(None).unwrap());
    assert!(!shown.contains("env key"), "{shown}");
}

#[test]
fn t16_a_plain_tcp_context_is_not_dialled() {
    let desk = Desk::new(&[]).context("plain", "tcp://10.0.0.1:2375");
    let endpoint = desk.surroundings.endpoint(Some("context:plain")).unwrap();
    assert_eq!(endpoint.transport(false).unwrap_err().code, ErrorCode::EngineForbidden);
    assert_eq!(endpoint.transport(true).unwrap().endpoint(), "tcp://10.0.0.1:2375");
}
