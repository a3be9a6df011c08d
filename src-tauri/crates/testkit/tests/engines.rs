use slipway_testkit::{BaseImage, Engine};

#[tokio::test]
async fn the_base_image_runs_a_shell_without_a_network() {
    let engine = Engine::require().await;
    let image = BaseImage::busybox(&engine).await;
    assert_eq!(engine.output_of(image.reference(), &["sh", "-c", "echo $((6 * 7))"]).await, "42");
}

#[tokio::test]
async fn what_carries_a_label_is_removed_by_it() {
    let engine = Engine::require().await;
    let image = BaseImage::busybox(&engine).await;
    let label = format!("slipway.test.fixture={}", std::process::id());
    let container = engine.docker_ok(&["create", "--label", &label, image.reference(), "sh", "-c", "exit 0"]).await;
    assert!(engine.docker(&["inspect", &container]).await.status.success());
    engine.remove_labelled(&label).await;
    assert!(!engine.docker(&["inspect", &container]).await.status.success());
    assert!(engine.image_id(image.reference()).await.is_some());
}
