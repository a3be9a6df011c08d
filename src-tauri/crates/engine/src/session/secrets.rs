//! Build secrets (`RUN --mount=type=secret`): given to the engine on request, never in arguments or in the image (T09).

use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::Secrets;
use bollard_buildkit_proto::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use slipway_core::Secret;
use std::collections::HashMap;
use tonic::{Request, Response, Status};

/// The secrets of one build.
pub(super) struct BuildSecrets(HashMap<String, Secret>);

impl BuildSecrets {
    /// Offers these secrets by id.
    pub(super) fn new(secrets: Vec<(String, Secret)>) -> Self {
        Self(secrets.into_iter().collect())
    }
}

#[tonic::async_trait]
impl Secrets for BuildSecrets {
    async fn get_secret(&self, request: Request<GetSecretRequest>) -> Result<Response<GetSecretResponse>, Status> {
        let id = request.into_inner().id;
        let secret = self.0.get(&id).ok_or_else(|| Status::not_found(format!("secret {id}: not found")))?;
        Ok(Response::new(GetSecretResponse { data: secret.expose().as_bytes().to_vec() }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn t09_only_known_ids_are_answered() {
        let secrets = BuildSecrets::new(vec![("npm".into(), Secret::new("token"))]);
        let ask = |id: &str| Request::new(GetSecretRequest { id: id.to_owned(), ..Default::default() });
        assert_eq!(secrets.get_secret(ask("npm")).await.unwrap().into_inner().data, b"token");
        assert_eq!(secrets.get_secret(ask("other")).await.unwrap_err().code(), tonic::Code::NotFound);
    }
}
