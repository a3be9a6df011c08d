//! `make demo`: the walk-through of the seeds, with the real program, engine, registry and git server.
//!
//! `helloworld` is pushed to a local clone, then to an HTTPS server with a private authority; two commits each. Then the image
//! runs as a container, a Compose service and a Swarm service, and a push changes the pages. Every step is printed with its time; the last line is `demo: ok` or `demo: failed: <why>`, with an exit status to match.

mod deploying;

use deploying::{Built, Made};
use serde_json::{Value, json};
use slipway_flows::{Product, walkthrough};
use slipway_testkit::{Engine, GitRepository, GitServer, Login, PrivateCa, RegistryServer, eventually};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const BUILD_DEADLINE: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    // A step that fails panics with what it saw; the words of the panic are the reason.
    let outcome = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        std::panic::catch_unwind(|| runtime.block_on(demo())).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        })
    });
    match outcome {
        Ok(()) => {
            say("demo: ok");
            ExitCode::SUCCESS
        }
        Err(why) => {
            say(&format!("demo: failed: {}", why.lines().next().unwrap_or("without a reason")));
            ExitCode::FAILURE
        }
    }
}

async fn demo() {
    let begun = Instant::now();
    let step = |what: &str| say(&format!("{:7.2} s  {what}", begun.elapsed().as_secs_f64()));
    let engine = Engine::require().await;
    let base = std::env::var("SLIPWAY_DEMO_BASE").unwrap_or_else(|_| "nginx".to_owned());
    assert!(
        engine.image_id(&base).await.is_some(),
        "the base image {base} is missing: run `make demo`, which makes it from Debian packages"
    );
    step(&format!("Docker {} answers, {base} is there", engine.version()));
    let registry = RegistryServer::start(Some(Login::new("robot$team+ci", "demo-password")), true).await;
    step(&format!("a registry with a login listens at {}", registry.host()));
    let product = Product::start().await;
    step("Slipway is open, with an empty data folder");
    let (registry_id, credential) = walkthrough::add_registry(&product, "demo", &registry).await;
    let test = product
        .must(
            "registries.test",
            json!({ "registry": registry_id, "credential": credential, "repository": "team/helloworld" }),
        )
        .await;
    let hops: Vec<&str> = test.as_array().into_iter().flatten().filter_map(|hop| hop["hop"].as_str()).collect();
    let failed = test.as_array().into_iter().flatten().find(|hop| !hop["failure"].is_null());
    assert!(failed.is_none(), "the registry test failed: {test}");
    step(&format!("registry test: {}", hops.join(" ✓ ") + " ✓"));

    let code = walkthrough::helloworld_code(&base).await;
    let code_id = walkthrough::add_clone(&product, "helloworld (local clone)", &code).await;
    let place = Place { product: &product, registry: &registry, registry_id: &registry_id, credential: &credential };
    let repository = two_commits(&place, "team/helloworld", &code_id, &code, Push::Commit, &step).await;
    let built = Built { product: &product, repository: &repository, code: &code, text: "hello from Slipway" };
    let builds = product.must("builds.list", json!({ "repository": repository })).await;
    let newest = product.must("builds.get", json!({ "id": builds["items"][0]["id"] })).await;
    let tag = newest["tags"][0].as_str().unwrap_or_default();
    let image = format!("{}/team/helloworld:{tag}", registry.host());
    let mut made = Made::on(&engine);
    deploying::container_and_compose(&built, &mut made, &image, &step).await;

    let server = GitServer::start(Some(PrivateCa::new()), Some(Login::new("ann", "git-token-of-ann"))).await;
    let code = walkthrough::helloworld_code(&base).await;
    let url = server.publish("team/helloworld.git", &code).await;
    let code_id = add_url(&product, &server, &url).await;
    step(&format!("{url} is authorized with a token, trusting its private authority only"));
    two_commits(&place, "team/helloworld-https", &code_id, &code, Push::ToServer, &step).await;

    drop(made);
    deploying::swarm(&engine, &base, &step).await;
    engine.remove_labelled("slipway.build").await;
}

/// Where the images go.
struct Place<'a> {
    product: &'a Product,
    registry: &'a RegistryServer,
    registry_id: &'a Value,
    credential: &'a Value,
}

/// How the code is pushed.
#[derive(Clone, Copy)]
enum Push {
    /// A commit in a local clone is a push.
    Commit,
    /// `git push` to the server.
    ToServer,
}

async fn two_commits(
    place: &Place<'_>,
    name: &str,
    code_id: &Value,
    code: &GitRepository,
    push: Push,
    step: &impl Fn(&str),
) -> Value {
    let product = place.product;
    let repository = walkthrough::add_repository(product, place.registry_id, place.credential, name).await;
    walkthrough::add_rule(product, &repository, code_id, "main").await;
    step(&format!("image repository {name} with a rule: push to any branch"));
    let mut known = Vec::new();
    let mut layers: Vec<Vec<String>> = Vec::new();
    for text in ["hello again", "hello from Slipway"] {
        code.write("index.html", format!("{text}\n"));
        let commit = code.commit(text).await;
        let pushed = Instant::now();
        match push {
            Push::Commit => {}
            Push::ToServer => {
                code.push("main").await;
                // The interval is half a minute; a click on "check now" is what a person in a hurry does.
                product.must("code_repositories.check", json!({ "id": code_id })).await;
            }
        }
        let tag = format!("main-{}", &commit[..7]);
        let digest = eventually(&format!("{name}:{tag} is in the registry"), BUILD_DEADLINE, async || {
            match place.registry.digest(name, &tag).await {
                Some(digest) => Ok(digest),
                None => Err(product.must("builds.list", json!({ "repository": repository })).await),
            }
        })
        .await;
        let took = pushed.elapsed();
        let build = product.finished_build(&repository, &known, BUILD_DEADLINE).await;
        known.push(build["id"].as_i64().unwrap_or_default());
        assert_eq!(build["state"], "succeeded", "build: {build}");
        let publications = build["publications"].as_array().cloned().unwrap_or_default();
        for publication in &publications {
            assert_eq!(publication["digest"], json!(digest), "the recorded digest is the registry's: {publication}");
        }
        let moved = place.registry.digest(name, "latest").await;
        assert_eq!(moved.as_deref(), Some(digest.as_str()), "latest moved to the new image");
        layers.push(layers_of(place.registry, name, &digest).await);
        step(&format!("push {} → {name}:{tag} and :latest in {:.2} s, {digest}", &commit[..7], took.as_secs_f64()));
    }
    let (first, second) = (&layers[0], &layers[1]);
    let differing = first.iter().zip(second).filter(|(a, b)| a != b).count();
    assert_eq!(first.len(), second.len(), "both images have the same number of layers");
    assert_eq!(differing, 1, "only the layer of ADD differs: {first:?} and {second:?}");
    step(&format!("the second image shares {} of {} layers with the first", second.len() - 1, second.len()));
    repository
}

async fn add_url(product: &Product, server: &GitServer, url: &str) -> Value {
    let form = json!({
        "name": "helloworld (https)",
        "location": {
            "kind": "git_url",
            "url": url,
            "username": "ann",
            "password": "git-token-of-ann",
            "ca_pem": server.ca().map(PrivateCa::pem),
        },
    });
    let added = product.must("code_repositories.add", json!({ "form": form })).await;
    product.must("code_repositories.check", json!({ "id": added["id"] })).await;
    added["id"].clone()
}

/// Reads the layer digests of an image from the registry itself, not from Slipway.
async fn layers_of(registry: &RegistryServer, name: &str, digest: &str) -> Vec<String> {
    let login = registry.login().expect("the demo's registry has a login");
    let manifest: Value = reqwest::Client::new()
        .get(format!("{}/v2/{name}/manifests/{digest}", registry.url()))
        .basic_auth(&login.user, Some(&login.password))
        .header(
            "Accept",
            "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json",
        )
        .send()
        .await
        .expect("the registry answers")
        .json()
        .await
        .expect("a manifest is JSON");
    let layers = manifest["layers"].as_array().cloned().unwrap_or_default();
    layers.iter().filter_map(|layer| layer["digest"].as_str().map(str::to_owned)).collect()
}

fn say(text: &str) {
    // Nobody may be reading any more; the exit status says the same.
    let _ = writeln!(std::io::stdout(), "{text}");
}
