//! Action *Compose service*, with the projects that Compose 1.29 and 2.26 make.

use crate::support::{Stage, attempt};
use pretty_assertions::{assert_eq, assert_ne};
use serde_json::Value;
use slipway_core::ErrorCode;
use slipway_core::deploy::{DeployAction, DeployOutcome, DeployTarget, PlanNote, Planned, StepKind};
use slipway_deploy::ComposeAction;
use tokio::process::Command;

#[derive(Clone, Copy, PartialEq)]
enum Compose {
    /// Debian 12's `docker-compose`.
    One,
    /// The plugin, `docker compose`.
    Two,
}

/// A project in a folder of its own.
struct Project<'a> {
    stage: &'a Stage,
    compose: Compose,
    folder: tempfile::TempDir,
}

impl<'a> Project<'a> {
    async fn up(stage: &'a Stage, compose: Compose, image: &str, service: &str) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let label = stage.label.replace('=', ": ");
        let file = format!(
            "version: '2.4'\nservices:\n  web:\n    image: {image}\n    scale: 2\n    restart: always\n    stop_grace_period: 1s\n    \
             volumes: ['/anonymous']\n    environment: {{MINE: '1'}}\n    networks: {{default: {{aliases: [www]}}}}\n{service}\
             networks:\n  default:\n    labels: {{{label}}}\n"
        );
        std::fs::write(folder.path().join("docker-compose.yml"), file).unwrap();
        let project = Self { stage, compose, folder };
        project.run(&["up", "-d"]).await;
        project
    }

    fn name(&self) -> String {
        self.stage.name.clone()
    }

    async fn run(&self, arguments: &[&str]) -> String {
        self.try_run(arguments).await.unwrap_or_else(|words| panic!("{arguments:?}: {words}"))
    }

    /// Runs Compose; what it says on its error output when it fails.
    async fn try_run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = match self.compose {
            Compose::One => Command::new("docker-compose"),
            Compose::Two => {
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../scripts/engine");
                let found = Command::new(script).arg("compose").output().await.unwrap();
                assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
                let mut command = Command::new("docker");
                command.env("DOCKER_CONFIG", String::from_utf8(found.stdout).unwrap().trim()).arg("compose");
                command
            }
        };
        command.args(["-p", &self.name()]).args(arguments).current_dir(self.folder.path());
        let output = command.env("DOCKER_HOST", self.stage.engine.endpoint()).output().await;
        let output = output.expect("docker-compose is installed: run `make setup`");
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn target(&self) -> DeployTarget {
        DeployTarget::ComposeService { engine: "local".into(), project: self.name(), service: "web".into() }
    }

    /// The ids of the service's containers, as Compose sees them.
    async fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.run(&["ps", "-q", "-a", "web"]).await.lines().map(str::to_owned).collect();
        ids.sort();
        ids
    }

    async fn containers(&self) -> Vec<Value> {
        let mut found = Vec::new();
        for id in self.ids().await {
            found.push(self.stage.inspect(&id).await.unwrap());
        }
        found.sort_by_key(|container| container["Name"].to_string());
        found
    }

    async fn page(&self, container: &Value) -> String {
        let id = container["Id"].as_str().unwrap();
        self.stage.answer_of(id, "http://www/").await
    }
}

async fn stage(name: &str) -> Stage {
    let stage = Stage::new(name).await;
    stage.web("a", "one", &[]).await;
    stage.web("b", "two", &[]).await;
    stage.image("bad", &["CMD [\"sh\", \"-c\", \"exit 3\"]"]).await;
    stage
}

/// Compose 1 can make no container anew on an engine of API 1.44 (Docker 25) or later, whoever made it: it reads a field of
/// images that is gone there.
fn is_too_new_for_compose_1(stage: &Stage) -> bool {
    let minor = stage.engine.api_version().strip_prefix("1.").and_then(|minor| minor.parse::<u32>().ok());
    minor.unwrap() >= 44
}

async fn a_service_is_updated_with_its_labels(compose: Compose, stage: Stage) {
    let action = ComposeAction::new(stage.calls.clone());
    stage.engine.docker_ok(&["tag", &stage.reference("a"), &stage.reference("current")]).await;
    let project = Project::up(&stage, compose, &stage.reference("current"), "").await;
    let before = project.containers().await;
    assert_eq!(before.len(), 2);
    stage.engine.docker_ok(&["tag", &stage.reference("b"), &stage.reference("current")]).await;

    let job = stage.job(project.target(), "current").await;
    let Planned::Ready { plan } = action.plan(&job).await.unwrap() else { panic!() };
    let file = |note: &PlanNote| matches!(note, PlanNote::ComposeUpReturns { files: Some(files) } if files.ends_with("docker-compose.yml"));
    assert!(plan.notes.iter().any(file), "{:?}", plan.notes);
    let (outcome, journal) = attempt(&action, &job).await;
    let DeployOutcome::Deployed { after, gap_ms: Some(_) } = outcome else {
        panic!("{outcome:?} {:?}", journal.lines())
    };
    assert_eq!((after.replicas.wanted, after.replicas.ready, after.mixed), (2, 2, false));
    // One after another: the second is stopped only when the first one is proven.
    let order: Vec<StepKind> = journal.done().into_iter().map(|(kind, _)| kind).collect();
    let first_proof = order.iter().position(|kind| *kind == StepKind::CheckNew).unwrap();
    let second_stop = order.iter().rposition(|kind| *kind == StepKind::StopOld).unwrap();
    assert!(first_proof < second_stop, "{order:?}");

    let after = project.containers().await;
    assert_eq!(after.len(), 2, "Compose sees no old ones");
    for (old, new) in before.iter().zip(&after) {
        assert_ne!(old["Id"], new["Id"]);
        assert_eq!((&old["Name"], project.page(new).await.as_str()), (&new["Name"], "two"));
        let labels = |container: &Value| {
            let labels = container["Config"]["Labels"].as_object().unwrap().clone();
            let ours = |name: &String| name.starts_with("slipway.");
            labels.into_iter().filter(|(name, _)| !ours(name) && name != "com.docker.compose.image").collect::<Vec<_>>()
        };
        assert_eq!(labels(old), labels(new));
        let image = &new["Config"]["Labels"]["com.docker.compose.image"];
        assert_eq!(*image, if compose == Compose::Two { new["Image"].clone() } else { Value::Null });
        let volume = |container: &Value| container["Mounts"][0]["Name"].clone();
        assert_eq!(volume(old), volume(new));
    }
    // A later `up` of a file that names the moving tag keeps the image; Compose 1 makes the containers anew for it.
    let kept = project.ids().await;
    let up = project.try_run(&["up", "-d"]).await;
    if compose == Compose::One && is_too_new_for_compose_1(&stage) {
        assert!(up.unwrap_err().contains("'ContainerConfig'"));
    } else {
        up.unwrap();
        assert_eq!(project.ids().await == kept, compose == Compose::Two);
        for container in project.containers().await {
            let running = &container["State"]["Running"];
            assert_eq!((project.page(&container).await.as_str(), running), ("two", &true.into()));
        }
    }
    project.run(&["down", "-v"]).await;
}

#[tokio::test]
async fn a_service_of_compose_1_is_updated_with_its_labels() {
    a_service_is_updated_with_its_labels(Compose::One, stage("compose1").await).await;
}

#[tokio::test]
async fn a_service_of_compose_2_is_updated_with_its_labels() {
    a_service_is_updated_with_its_labels(Compose::Two, stage("compose2").await).await;
}

#[tokio::test]
async fn f29_a_bad_image_leaves_every_container_of_the_service_serving() {
    let stage = stage("composebad").await;
    let action = ComposeAction::new(stage.calls.clone());
    let project = Project::up(&stage, Compose::Two, &stage.reference("a"), "").await;
    let before = project.ids().await;
    let (outcome, _) = attempt(&action, &stage.job(project.target(), "bad").await).await;
    let DeployOutcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.code, project.ids().await), (ErrorCode::TargetUnhealthy, before.clone()));

    // The file's image comes back with `up` when the file names another tag: the plan's note says so.
    let (outcome, _) = attempt(&action, &stage.job(project.target(), "b").await).await;
    assert!(matches!(outcome, DeployOutcome::Deployed { .. }), "{outcome:?}");
    project.run(&["up", "-d"]).await;
    for container in project.containers().await {
        assert_eq!(project.page(&container).await, "one");
    }
    project.run(&["down", "-v"]).await;
    let gone = action.inspect(&project.target()).await.unwrap_err();
    assert_eq!(gone.code, ErrorCode::TargetGone);
}

#[tokio::test]
async fn f32_containers_that_changed_since_the_plan_are_planned_again() {
    let stage = stage("f32").await;
    let action = ComposeAction::new(stage.calls.clone());
    let project = Project::up(&stage, Compose::Two, &stage.reference("a"), "").await;
    let job = stage.job(project.target(), "b").await;
    let Planned::Ready { plan } = action.plan(&job).await.unwrap() else { panic!() };
    project.run(&["up", "-d", "--scale", "web=3"]).await;
    let journal = slipway_testkit::fakes::MemoryJournal::default();
    let cancel = tokio_util::sync::CancellationToken::new();
    let refused = action.apply(&job, &plan, &journal, &cancel).await.unwrap_err();
    assert_eq!((refused.code, journal.done()), (ErrorCode::TargetChanged, vec![]));
    // What `run` started is no part of the service.
    project.run(&["run", "-d", "web", "sleep", "100"]).await;
    assert_eq!(action.inspect(&project.target()).await.unwrap().replicas.wanted, 3);
    project.run(&["down", "-v", "--remove-orphans"]).await;
}
