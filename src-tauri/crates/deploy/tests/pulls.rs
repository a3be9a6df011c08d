//! Images that are only in a registry: pulled by digest with the caller's login; what cannot be pulled touches nothing.

use crate::support::{Stage, attempt};
use pretty_assertions::assert_eq;
use slipway_core::deploy::{DeployAction, DeployImage, DeployOutcome, Planned, StepKind};
use slipway_core::image::{Digest, RegistryLogin};
use slipway_core::{ErrorCode, Secret};
use slipway_deploy::ContainerAction;
use slipway_testkit::{Login, RegistryServer};

/// Pushes the stage's image and takes it away from the engine. Returns it by digest.
async fn publish(stage: &Stage, registry: &RegistryServer, tag: &str) -> DeployImage {
    let reference = format!("{}/team/app:{tag}", registry.host());
    let login = registry.login().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    use base64::Engine as _;
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", login.user, login.password));
    let config = serde_json::json!({"auths": {registry.host(): {"auth": auth}}});
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    stage.engine.docker_ok(&["tag", &stage.reference(tag), &reference]).await;
    stage.engine.docker_ok(&["--config", folder.path().to_str().unwrap(), "push", "--quiet", &reference]).await;
    let digest = registry.digest("team/app", tag).await.unwrap();
    stage.engine.docker_ok(&["rmi", &reference, &stage.reference(tag)]).await;
    DeployImage { reference, digest: Some(Digest::new(digest).unwrap()), id: None, content: None }
}

#[tokio::test]
async fn t25_an_image_is_pulled_by_its_digest_and_failing_pulls_touch_nothing() {
    let stage = Stage::new("pulls").await;
    let action = ContainerAction::new(stage.calls.clone());
    let login = Login::new("robot", "pass-for-pulls");
    let mut registry = RegistryServer::start(Some(login), false).await;
    stage.web("a", "one", &[]).await;
    stage.web("b", "two", &[]).await;
    stage.web("c", "three", &[]).await;
    stage.run("web", "a", &[]).await;
    let (b, c) = (publish(&stage, &registry, "b").await, publish(&stage, &registry, "c").await);
    let known = registry.login().unwrap();
    let basic = RegistryLogin::Basic { username: known.user.clone(), password: Secret::new(known.password.clone()) };

    // The tag goes on to another image; the digest decides.
    let moved = DeployImage { reference: c.reference.clone(), ..b.clone() };
    let mut job = stage.job_for(stage.target("web"), moved);
    let (outcome, _) = attempt(&action, &job).await;
    let DeployOutcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(matches!(failure.code, ErrorCode::RegistryUnauthorized | ErrorCode::RegistryDenied), "{failure:?}");
    job.login = basic.clone();
    let Planned::Ready { plan } = action.plan(&job).await.unwrap() else { panic!() };
    assert_eq!(plan.steps[0].kind, StepKind::Pull);
    let (outcome, journal) = attempt(&action, &job).await;
    assert!(matches!(outcome, DeployOutcome::Deployed { .. }), "{outcome:?} {:?}", journal.lines());
    assert_eq!(stage.page("web").await, "two");
    let name = stage.inspect(&stage.container("web")).await.unwrap()["Config"]["Image"].as_str().unwrap().to_owned();
    assert!(name.ends_with(b.digest.as_ref().unwrap().as_str()), "the tag is not on this image here: {name}");
    let (outcome, _) = attempt(&action, &job).await;
    assert!(matches!(outcome, DeployOutcome::Unchanged { .. }), "{outcome:?}");

    let running = stage.inspect(&stage.container("web")).await.unwrap()["Id"].clone();
    let nowhere = Digest::new(format!("sha256:{}", "0".repeat(64))).unwrap();
    let missing = DeployImage { digest: Some(nowhere), ..c.clone() };
    let foreign = DeployImage { digest: Some(other_platform(&registry, &b).await), ..c.clone() };
    for (image, code) in [(missing, ErrorCode::ManifestUnknown), (foreign, ErrorCode::ImagePlatform)] {
        let mut job = stage.job_for(stage.target("web"), image);
        job.login = basic.clone();
        let (outcome, _) = attempt(&action, &job).await;
        let DeployOutcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
        assert_eq!(failure.code, code, "{failure:?}");
    }
    registry.stop().await;
    let mut job = stage.job_for(stage.target("web"), c);
    job.login = basic;
    let (outcome, _) = attempt(&action, &job).await;
    let DeployOutcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.code, ErrorCode::RegistryUnreachable);
    assert_eq!(stage.inspect(&stage.container("web")).await.unwrap()["Id"], running);
    stage.engine.docker(&["rmi", "--force", &name]).await;
}

/// Puts a list of manifests that has the image for another processor only.
async fn other_platform(registry: &RegistryServer, image: &DeployImage) -> Digest {
    let login = registry.login().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |what: &str| format!("{}/v2/team/app/manifests/{what}", registry.url());
    let digest = image.digest.as_ref().unwrap().as_str();
    let manifest = "application/vnd.docker.distribution.manifest.v2+json";
    let found = client.get(url(digest)).header("accept", manifest).basic_auth(&login.user, Some(&login.password));
    let size = found.send().await.unwrap().bytes().await.unwrap().len();
    let list = "application/vnd.docker.distribution.manifest.list.v2+json";
    let body = serde_json::json!({"schemaVersion": 2, "mediaType": list, "manifests": [{
        "mediaType": manifest, "digest": digest, "size": size, "platform": {"os": "linux", "architecture": "s390x"}}]});
    let put = client.put(url("foreign")).header("content-type", list).basic_auth(&login.user, Some(&login.password));
    let answer = put.body(body.to_string()).send().await.unwrap().error_for_status().unwrap();
    Digest::new(answer.headers()["docker-content-digest"].to_str().unwrap()).unwrap()
}
