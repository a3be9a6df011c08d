//! Doors to the readers of foreign bytes, for `tests/fuzz` alone: the product does not use them.

use crate::kubernetes::kubeconfig;
use slipway_core::Failure;

/// What a context of a kubeconfig leads to.
#[derive(Debug)]
pub struct ReadAccess {
    /// The cluster's address.
    pub server: String,
    /// Something would be told to prove who one is.
    pub signs_in: bool,
    /// The program that would be run, as a person is asked to allow it.
    pub command_line: Option<String>,
}

/// Reads what a context of a kubeconfig needs.
///
/// # Errors
/// Why it cannot be used.
pub async fn kubeconfig_access(path: &str, context: &str) -> Result<ReadAccess, Failure> {
    let access = kubeconfig::access(path, context).await?;
    let command_line = match &access.login {
        kubeconfig::Login::Exec(exec) => Some(exec.command_line()),
        _ => None,
    };
    let signs_in = !matches!(access.login, kubeconfig::Login::Nobody);
    Ok(ReadAccess { server: access.server, signs_in, command_line })
}
