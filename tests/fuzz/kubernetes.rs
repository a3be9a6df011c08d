//! Kubeconfigs, which people get from others.

use slipway_core::ErrorCode;
use slipway_testkit::TempDataDir;

/// A kubeconfig: nothing is told over a connection that everybody can read, and what would be run is shown as it is.
pub(super) fn kubeconfig(bytes: &[u8]) {
    let folder = TempDataDir::new();
    let path = folder.path().join("config");
    std::fs::write(&path, bytes).expect("a file can be written");
    let path = path.to_str().expect("a temporary path is text");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        let contexts = match slipway_deploy::kube_contexts(path).await {
            Ok(contexts) => contexts,
            Err(failure) => {
                assert_eq!(failure.code, ErrorCode::KubeconfigInvalid);
                return super::can_be_shown(&failure);
            }
        };
        for context in contexts.iter().take(4) {
            context.exec.as_deref().into_iter().for_each(honest);
            match slipway_deploy::fuzzing::kubeconfig_access(path, &context.name).await {
                Ok(access) => {
                    assert!(access.server.starts_with("https://") || access.server.starts_with("http://"));
                    assert!(access.server.starts_with("https://") || !access.signs_in, "a login over plain HTTP");
                    access.command_line.as_deref().into_iter().for_each(honest);
                }
                Err(failure) => {
                    assert_eq!(failure.code, ErrorCode::KubeconfigInvalid);
                    super::can_be_shown(&failure);
                }
            }
        }
    });
}

/// A command line that a person is asked to allow hides nothing.
fn honest(line: &str) {
    super::is_plain(line);
    assert!(!line.contains(super::HIDDEN), "hidden characters in {line:?}");
}
