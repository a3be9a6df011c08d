//! Reading a kubeconfig: which contexts there are, and what one of them needs for a connection. Its `current-context` is
//! never used (T20).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use slipway_core::control::is_deceptive;
use slipway_core::{ErrorCode, Failure, Secret};
use std::path::{Path, PathBuf};

/// A kubeconfig is a few kilobytes; this is a fault or an attack.
const LARGEST: u64 = 4 << 20;

/// A context of a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeContext {
    /// Its name.
    pub name: String,
    /// Address of its cluster.
    pub server: Option<String>,
    /// The namespace that it begins in.
    pub namespace: Option<String>,
    /// The program that it would run to sign in, for a person to allow.
    pub exec: Option<String>,
}

#[derive(Deserialize)]
struct KubeConfig {
    clusters: Option<Vec<Named>>,
    users: Option<Vec<Named>>,
    contexts: Option<Vec<Named>>,
}

/// `{name: …, cluster|user|context: {…}}`.
#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    cluster: Option<serde_json::Value>,
    #[serde(default)]
    user: Option<serde_json::Value>,
    #[serde(default)]
    context: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct ContextEntry {
    cluster: String,
    user: Option<String>,
    namespace: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct ClusterEntry {
    server: String,
    certificate_authority: Option<String>,
    certificate_authority_data: Option<String>,
    insecure_skip_tls_verify: Option<bool>,
    tls_server_name: Option<String>,
    proxy_url: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct UserEntry {
    client_certificate: Option<String>,
    client_certificate_data: Option<String>,
    client_key: Option<String>,
    client_key_data: Option<String>,
    token: Option<String>,
    #[serde(rename = "tokenFile")]
    token_file: Option<String>,
    username: Option<String>,
    password: Option<String>,
    #[serde(rename = "as")]
    impersonate: Option<String>,
    as_groups: Option<Vec<String>>,
    exec: Option<ExecEntry>,
    auth_provider: Option<serde_json::Value>,
}

/// A program that gives a login (`client.authentication.k8s.io`).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExecEntry {
    pub(super) api_version: String,
    pub(super) command: String,
    #[serde(default)]
    pub(super) args: Option<Vec<String>>,
    #[serde(default)]
    pub(super) env: Option<Vec<ExecVariable>>,
    #[serde(default)]
    pub(super) interactive_mode: Option<String>,
    #[serde(default)]
    pub(super) provide_cluster_info: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ExecVariable {
    pub(super) name: String,
    pub(super) value: String,
}

impl ExecEntry {
    /// The command line with its variables, as a shell would take it: what a person sees and allows.
    pub(crate) fn command_line(&self) -> String {
        let variables = self.env.iter().flatten().map(|one| format!("{}={}", quoted(&one.name), quoted(&one.value)));
        let arguments = std::iter::once(&self.command).chain(self.args.iter().flatten()).map(|one| quoted(one));
        variables.chain(arguments).collect::<Vec<_>>().join(" ")
    }
}

/// Quoted for a shell where that is needed; control characters, and those that hide or turn around what follows, become visible.
fn quoted(text: &str) -> String {
    let odd = |c: char| c.is_control() || is_deceptive(c);
    let plain = |c: char| c.is_alphanumeric() && !is_deceptive(c) || "-_./:=@,+%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let shown: String =
        text.chars().map(|c| if odd(c) { c.escape_default().to_string() } else { c.to_string() }).collect();
    format!("'{}'", shown.replace('\'', "'\\''"))
}

/// Where a cluster is and who somebody is there, before any program ran.
pub(crate) struct Access {
    pub(crate) server: String,
    pub(super) ca_pem: Option<Vec<u8>>,
    pub(super) insecure: bool,
    pub(super) proxy: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) impersonate: Option<(String, Vec<String>)>,
    pub(crate) login: Login,
    /// The kubeconfig's folder: its relative paths begin here.
    pub(super) folder: PathBuf,
}

/// How to sign in.
pub(crate) enum Login {
    Nobody,
    Token(Secret),
    Password {
        username: String,
        password: Secret,
    },
    /// Certificate and key in one PEM text.
    Certificate(Secret),
    Exec(ExecEntry),
}

/// Returns the contexts of a kubeconfig, sorted by name.
///
/// # Errors
/// [`ErrorCode::KubeconfigInvalid`] when it cannot be read.
pub async fn kube_contexts(path: &str) -> Result<Vec<KubeContext>, Failure> {
    let (config, _) = read(path).await?;
    let mut contexts: Vec<KubeContext> = config
        .contexts
        .iter()
        .flatten()
        .map(|entry| {
            let context: Option<ContextEntry> = part(entry.context.as_ref()).ok();
            let find = |list: &Option<Vec<Named>>, name: &str| {
                list.iter().flatten().find(|one| one.name == name).map(|one| (one.cluster.clone(), one.user.clone()))
            };
            let cluster = context.as_ref().and_then(|context| find(&config.clusters, &context.cluster));
            let user = context.as_ref().and_then(|context| find(&config.users, context.user.as_deref()?));
            let server = cluster.and_then(|one| part::<ClusterEntry>(one.0.as_ref()).ok()).map(|one| one.server);
            let exec = user.and_then(|one| part::<UserEntry>(one.1.as_ref()).ok()?.exec);
            KubeContext {
                name: entry.name.clone(),
                server,
                namespace: context.and_then(|context| context.namespace),
                exec: exec.map(|exec| exec.command_line()),
            }
        })
        .collect();
    contexts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(contexts)
}

/// Reads what a context needs.
pub(crate) async fn access(path: &str, context: &str) -> Result<Access, Failure> {
    let (config, folder) = read(path).await?;
    let find = |list: &Option<Vec<Named>>, name: &str, what: &str| {
        let found = list.iter().flatten().find(|one| one.name == name);
        let entry = found.map(|one| one.context.clone().or(one.cluster.clone()).or(one.user.clone()));
        entry.ok_or_else(|| {
            let names: Vec<&str> = list.iter().flatten().map(|one| one.name.as_str()).collect();
            let failure = invalid(format!("the kubeconfig has no {what} {name:?}, only: {}", names.join(", ")));
            failure.with("context", context).with("suggestions", names.join(", "))
        })
    };
    let entry: ContextEntry = part(find(&config.contexts, context, "context")?.as_ref())?;
    let cluster: ClusterEntry = part(find(&config.clusters, &entry.cluster, "cluster")?.as_ref())?;
    let user: UserEntry = match entry.user.as_deref().filter(|user| !user.is_empty()) {
        Some(user) => part(find(&config.users, user, "user")?.as_ref())?,
        None => UserEntry::default(),
    };
    let server = url::Url::parse(&cluster.server).map_err(|_| invalid("the cluster's address is none"))?;
    if !matches!(server.scheme(), "http" | "https") {
        return Err(invalid("the cluster's address does not begin with https:// or http://"));
    }
    if cluster.tls_server_name.is_some_and(|name| Some(name.as_str()) != server.host_str()) {
        return Err(invalid("tls-server-name is not supported"));
    }
    let impersonate = user.impersonate.clone().map(|name| (name, user.as_groups.clone().unwrap_or_default()));
    // As kubectl: nothing is told about oneself over a connection that everybody can read.
    let login = if server.scheme() == "https" { login(user, &folder).await? } else { Login::Nobody };
    Ok(Access {
        server: server.as_str().trim_end_matches('/').to_owned(),
        ca_pem: bytes(cluster.certificate_authority_data.as_deref(), cluster.certificate_authority.as_deref(), &folder)
            .await?,
        insecure: cluster.insecure_skip_tls_verify.unwrap_or(false),
        proxy: cluster.proxy_url.filter(|url| !url.is_empty()),
        namespace: entry.namespace,
        impersonate,
        login,
        folder,
    })
}

/// In kubectl's order: certificate, token, password, program.
async fn login(user: UserEntry, folder: &Path) -> Result<Login, Failure> {
    let certificate =
        bytes(user.client_certificate_data.as_deref(), user.client_certificate.as_deref(), folder).await?;
    let key = bytes(user.client_key_data.as_deref(), user.client_key.as_deref(), folder).await?;
    if let (Some(mut pem), Some(key)) = (certificate, key) {
        pem.push(b'\n');
        pem.extend(key);
        return Ok(Login::Certificate(Secret::new(String::from_utf8_lossy(&pem))));
    }
    if let Some(file) = user.token_file.filter(|file| !file.is_empty()) {
        let token = read_file(&folder.join(file)).await?;
        return Ok(Login::Token(Secret::new(String::from_utf8_lossy(&token).trim())));
    }
    if let Some(token) = user.token.filter(|token| !token.is_empty()) {
        return Ok(Login::Token(Secret::new(token)));
    }
    if let Some(username) = user.username.filter(|name| !name.is_empty()) {
        return Ok(Login::Password { username, password: Secret::new(user.password.unwrap_or_default()) });
    }
    if let Some(exec) = user.exec {
        return Ok(Login::Exec(exec));
    }
    if user.auth_provider.is_some() {
        return Err(invalid("auth-provider is no longer supported by Kubernetes: use an exec plugin or a token"));
    }
    Ok(Login::Nobody)
}

async fn read(path: &str) -> Result<(KubeConfig, PathBuf), Failure> {
    let path = match path.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => PathBuf::from(path),
    };
    if !path.is_absolute() {
        return Err(invalid("the path of a kubeconfig is absolute"));
    }
    let text = read_file(&path).await?;
    let text = String::from_utf8(text).map_err(|_| invalid("the kubeconfig is no text"))?;
    // The parser's words may quote the file, which holds secrets: only the place is told.
    let config = serde_saphyr::from_str(&text).map_err(|_| invalid("the kubeconfig is no valid YAML of its kind"))?;
    Ok((config, path.parent().map(Path::to_owned).unwrap_or_default()))
}

async fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        invalid(format!("{} cannot be read: {why}", path.display())).with("path", path.display().to_string())
    };
    let about = tokio::fs::metadata(path).await.map_err(|error| failed(&error))?;
    if !about.is_file() || about.len() > LARGEST {
        return Err(failed(&"it is no file of that kind"));
    }
    tokio::fs::read(path).await.map_err(|error| failed(&error))
}

/// Bytes that stand in the file, in base64, or in another file.
async fn bytes(data: Option<&str>, file: Option<&str>, folder: &Path) -> Result<Option<Vec<u8>>, Failure> {
    if let Some(data) = data.filter(|data| !data.is_empty()) {
        let compact: String = data.split_whitespace().collect();
        let bytes = STANDARD.decode(compact).map_err(|_| invalid("a certificate or key is no base64"))?;
        return Ok(Some(bytes));
    }
    match file.filter(|file| !file.is_empty()) {
        Some(file) => read_file(&folder.join(file)).await.map(Some),
        None => Ok(None),
    }
}

fn part<T: DeserializeOwned>(value: Option<&serde_json::Value>) -> Result<T, Failure> {
    let value = value.cloned().unwrap_or(serde_json::Value::Object(serde_json::Map::new()));
    serde_json::from_value(value).map_err(|_| invalid("an entry of the kubeconfig has an unexpected shape"))
}

pub(super) fn invalid(why: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::KubeconfigInvalid, why)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn t20_the_command_line_shows_all_that_would_run() {
        let exec: ExecEntry = serde_json::from_value(serde_json::json!({
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "aws",
            "args": ["eks", "get-token", "--cluster", "two words", "it's", "a\nb", ""],
            "env": [{"name": "AWS_PROFILE", "value": "shop"}, {"name": "X", "value": "$(reboot)"}],
        }))
        .unwrap();
        assert_eq!(
            exec.command_line(),
            r"AWS_PROFILE=shop X='$(reboot)' aws eks get-token --cluster 'two words' 'it'\''s' 'a\nb' ''"
        );
    }

    #[tokio::test]
    async fn a_kubeconfig_as_people_have_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(folder.path().join("token"), "from-a-file\n").unwrap();
        let text = r#"
apiVersion: v1
kind: Config
current-context: prod
preferences: {}
clusters:
- name: one
  cluster:
    server: https://one.example:6443/
    insecure-skip-tls-verify: true
- cluster: {server: "http://plain.example"}
  name: plain
contexts:
- {name: b, context: {cluster: one, user: file, namespace: shop}}
- {name: a, context: {cluster: one, user: program}}
- {name: open, context: {cluster: plain, user: file}}
- {name: torn, context: {cluster: gone, user: file}}
users:
- name: file
  user: {tokenFile: token}
- name: program
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./login, args: null, env: null, interactiveMode: Never}
"#;
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        let contexts = kube_contexts(path).await.unwrap();
        let names: Vec<_> = contexts.iter().map(|one| (one.name.as_str(), one.exec.as_deref())).collect();
        assert_eq!(names, [("a", Some("./login")), ("b", None), ("open", None), ("torn", None)]);
        let one = access(path, "b").await.unwrap();
        assert_eq!((one.server.as_str(), one.insecure), ("https://one.example:6443", true));
        assert!(matches!(&one.login, Login::Token(token) if token.expose() == "from-a-file"));
        assert!(matches!(access(path, "open").await.unwrap().login, Login::Nobody), "no login over plain HTTP");
        for context in ["torn", "prod", ""] {
            let failure = access(path, context).await.map(|_| ()).unwrap_err();
            assert_eq!(failure.code, ErrorCode::KubeconfigInvalid, "{context}");
        }
        for (name, text) in [("bad", "clusters: [\n"), ("list", "- a\n"), ("secret", "token: hush\nusers: 7\n")] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let failure = kube_contexts(path.to_str().unwrap()).await.unwrap_err();
            assert_eq!(failure.code, ErrorCode::KubeconfigInvalid, "{name}");
            assert!(!failure.message.contains("hush"));
        }
        for path in ["config", "/nowhere/config", "/"] {
            assert_eq!(kube_contexts(path).await.unwrap_err().code, ErrorCode::KubeconfigInvalid, "{path}");
        }
    }
}
