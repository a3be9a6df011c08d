//! "Run this image", killed in the middle.

use crate::support::Stage;
use slipway_core::deploy::{DeployKey, ServiceDirectory};
use slipway_deploy::EngineDirectory;

#[tokio::test]
async fn f01_p6_a_container_that_was_made_and_not_started_is_removed_and_every_other_stays() {
    let stage = Stage::new("half").await;
    let directory = EngineDirectory::new("local", stage.calls.clone());
    stage.web("a", "one", &[]).await;
    let image = stage.reference("a");
    let key = format!("{}-7-1", stage.name);
    let (ours, theirs) = (format!("slipway.run={key}"), format!("slipway.run={key}0"));
    for (name, label) in [("made", &ours), ("others", &theirs)] {
        let name = stage.container(name);
        stage.engine.docker_ok(&["create", "--label", &stage.label, "--label", label, "--name", &name, &image]).await;
    }
    stage.run("serves", "a", &["--label", &ours]).await;
    for _ in 0..2 {
        directory.forget_run(&DeployKey(key.clone())).await.unwrap();
        assert!(stage.inspect(&stage.container("made")).await.is_none());
        for kept in ["others", "serves"] {
            assert!(stage.inspect(&stage.container(kept)).await.is_some(), "{kept} was removed");
        }
    }
}
