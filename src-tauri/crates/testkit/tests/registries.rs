use slipway_testkit::{BaseImage, Engine, Login, RegistryServer};

#[tokio::test]
async fn the_engine_pushes_to_it_and_its_content_survives_a_crash() {
    let engine = Engine::require().await;
    let image = BaseImage::busybox(&engine).await;
    let mut registry = RegistryServer::start(None, true).await;
    let name = format!("{}/team/app:one", registry.host());
    engine.docker_ok(&["tag", image.reference(), &name]).await;
    let pushed = engine.docker(&["push", "--quiet", &name]).await;
    engine.docker_ok(&["rmi", &name]).await;
    assert!(pushed.status.success(), "{pushed:?}");
    let digest = registry.digest("team/app", "one").await.unwrap();
    assert!(digest.starts_with("sha256:"));
    assert_eq!(registry.digest("team/app", "two").await, None);

    registry.stop().await;
    assert!(reqwest::get(registry.url()).await.is_err());
    registry.start_again().await;
    assert_eq!(registry.digest("team/app", "one").await, Some(digest));
}

#[tokio::test]
async fn with_a_login_nobody_else_gets_in() {
    let registry = RegistryServer::start(Some(Login::new("ann", "right")), false).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |password: &str| {
        client.get(format!("{}/v2/", registry.url())).basic_auth("ann", Some(password)).send().await.unwrap().status()
    };
    assert_eq!(ask("wrong").await, 401);
    assert_eq!(ask("right").await, 200);
}
