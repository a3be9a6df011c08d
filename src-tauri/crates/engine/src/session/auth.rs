//! Logins for base images, given to the engine at the moment that it needs one.

use bollard_buildkit_proto::moby::filesync::v1::auth_server::Auth;
use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest,
    GetTokenAuthorityResponse, VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse,
};
use slipway_core::image::RegistryLogin;
use slipway_core::ports::{Deadlines, LoginSource};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Answers with user name and password only; the engine fetches registry tokens itself when the token calls are missing.
pub(super) struct Logins(pub(super) Arc<dyn LoginSource>);

#[tonic::async_trait]
impl Auth for Logins {
    async fn credentials(&self, request: Request<CredentialsRequest>) -> Result<Response<CredentialsResponse>, Status> {
        let asked = request.into_inner().host;
        // Docker Hub's API host; logins are kept under the name that references have.
        let host = if asked == "registry-1.docker.io" { "docker.io" } else { &asked };
        let login = tokio::time::timeout(Deadlines::default().helper, self.0.login(host))
            .await
            .map_err(|_| Status::deadline_exceeded("finding the login took too long"))?;
        let (username, secret) = match login {
            RegistryLogin::Anonymous => (String::new(), String::new()),
            RegistryLogin::Basic { username, password } => (username, password.expose().to_owned()),
            // An empty user name tells the engine that it is a refresh token.
            RegistryLogin::IdentityToken { token } => (String::new(), token.expose().to_owned()),
        };
        Ok(Response::new(CredentialsResponse { username, secret }))
    }

    async fn fetch_token(&self, _: Request<FetchTokenRequest>) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("tokens are fetched by the engine"))
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("tokens are fetched by the engine"))
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("tokens are fetched by the engine"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use slipway_core::Secret;

    struct Scripted;

    #[tonic::async_trait]
    impl LoginSource for Scripted {
        async fn login(&self, host: &str) -> RegistryLogin {
            match host {
                "docker.io" => RegistryLogin::Basic { username: "ann".into(), password: Secret::new("p") },
                "token.example" => RegistryLogin::IdentityToken { token: Secret::new("t") },
                _ => RegistryLogin::Anonymous,
            }
        }
    }

    #[tokio::test]
    async fn each_host_gets_its_own_login() {
        let logins = Logins(Arc::new(Scripted));
        for (host, username, secret) in
            [("registry-1.docker.io", "ann", "p"), ("token.example", "", "t"), ("other.example:5000", "", "")]
        {
            let request = Request::new(CredentialsRequest { host: host.to_owned() });
            let answer = logins.credentials(request).await.unwrap().into_inner();
            assert_eq!((answer.username.as_str(), answer.secret.as_str()), (username, secret), "{host}");
        }
    }
}
