//! The scripted cluster, as `kubectl` sees it.

use slipway_testkit::{KubernetesCluster, Rollout, is_installed};
use std::process::Output;

async fn kubectl(cluster: &KubernetesCluster, arguments: &[&str]) -> Output {
    assert!(is_installed("kubectl"), "kubectl is not installed: apt-get install kubernetes-client");
    tokio::process::Command::new("kubectl")
        .env_clear()
        .env("HOME", cluster.folder())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .arg("--kubeconfig")
        .arg(cluster.token_kubeconfig())
        .args(["--context", "test", "--namespace", "shop"])
        .args(arguments)
        .output()
        .await
        .unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn kubectl_follows_a_rollout_to_its_end() {
    let cluster = KubernetesCluster::start();
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        cluster.add_workload(kind, "shop", "web", 2, &[("web", "shop/web:1"), ("proxy", "proxy:1")]);
        let name = format!("{}/web", kind.to_lowercase());
        let set = kubectl(&cluster, &["set", "image", &name, "web=shop/web:2"]).await;
        assert!(set.status.success(), "{}", text(&set));
        let status = kubectl(&cluster, &["rollout", "status", "--timeout", "60s", &name]).await;
        assert!(status.status.success(), "{kind}: {}", text(&status));
        assert!(text(&status).contains("successfully rolled out") || text(&status).contains("complete"), "{kind}");
        assert_eq!(cluster.image(kind, "shop", "web", "web").as_deref(), Some("shop/web:2"));
        assert_eq!(cluster.image(kind, "shop", "web", "proxy").as_deref(), Some("proxy:1"), "merged by name");
        cluster.remove(kind, "shop", "web");
    }
}

#[tokio::test]
async fn kubectl_sees_a_rollout_that_does_not_go_on() {
    let cluster = KubernetesCluster::start();
    cluster.add_workload("Deployment", "shop", "web", 2, &[("web", "shop/web:1")]);
    cluster.script("shop", "web", "shop/web:bad", Rollout::ExceedsDeadline);
    cluster.script("shop", "web", "shop/web:slow", Rollout::NeverReady);
    kubectl(&cluster, &["set", "image", "deployment/web", "web=shop/web:slow"]).await;
    let status = kubectl(&cluster, &["rollout", "status", "--timeout", "1s", "deployment/web"]).await;
    assert!(!status.status.success() && text(&status).contains("timed out"), "{}", text(&status));
    kubectl(&cluster, &["set", "image", "deployment/web", "web=shop/web:bad"]).await;
    let status = kubectl(&cluster, &["rollout", "status", "--timeout", "60s", "deployment/web"]).await;
    assert!(!status.status.success(), "{}", text(&status));
    assert!(text(&status).contains("exceeded its progress deadline"), "{}", text(&status));
    // The old pods still serve: taking the image back is all that it needs.
    kubectl(&cluster, &["set", "image", "deployment/web", "web=shop/web:1"]).await;
    let status = kubectl(&cluster, &["rollout", "status", "--timeout", "60s", "deployment/web"]).await;
    assert!(status.status.success(), "{}", text(&status));
    let refused = kubectl(&cluster, &["get", "deployment/nothing"]).await;
    assert!(text(&refused).contains("NotFound"), "{}", text(&refused));
}
