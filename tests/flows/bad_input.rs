//! Bad input gets a clear error: a code, the field, and nothing is lost.

use crate::house::{House, assert_code, assert_failure};
use serde_json::{Value, json};
use slipway_flows::{Product, program, walkthrough};
use slipway_testkit::{Canary, GitRepository, GitServer, GitServerMood, Login, PrivateCa, free_port};
use std::process::Stdio;

#[tokio::test]
async fn rules_that_cannot_work_are_refused_at_their_field() {
    let house = House::open().await;
    let code = house.code("COPY index.html /\n").await;
    let code_id = house.clone_of(&code).await;
    let repository = house.repository("team/app").await;
    let cases = [
        (json!({ "triggers": { "pattern": "^refs/(heads" } }), "bad_regex", "spec.triggers.pattern"),
        (json!({ "dockerfile_path": "/etc/passwd" }), "bad_repository_path", "spec.dockerfile_path"),
        (json!({ "dockerfile_path": "build/../../Dockerfile" }), "bad_repository_path", "spec.dockerfile_path"),
        (json!({ "context_dir": "/etc" }), "bad_repository_path", "spec.context_dir"),
        (json!({ "context_dir": "../other" }), "bad_repository_path", "spec.context_dir"),
        (
            json!({ "version": { "kind": "templates", "templates": ["{nothing}"] } }),
            "bad_tag_template",
            "spec.version.templates[0]",
        ),
        (json!({ "version": { "kind": "parts", "prefix": "///" } }), "bad_tag_template", "spec.version"),
        (json!({ "paths": { "include": ["src/[a"], "exclude": [] } }), "bad_glob", "spec.paths.include[0]"),
        (json!({ "overwrite_tag": "two words" }), "bad_image_reference", "spec.overwrite_tag"),
        (json!({ "name": "" }), "invalid_field", "spec.name"),
    ];
    for (changes, error, field) in cases {
        let spec = house.spec(&code_id, &changes);
        let answer = house.product.call("rules.add", json!({ "repository": repository, "spec": spec })).await;
        assert_failure(answer, error, Some(field));
    }
    assert_eq!(house.product.must("rules.list", json!({ "repository": repository })).await, json!([]));
    house.close().await;
}

#[tokio::test]
async fn paths_that_are_not_there_or_lead_out_fail_the_build_with_their_name() {
    let house = House::open().await;
    let (code, code_id, _, rule) = house.all("COPY index.html /\n", json!({ "triggers": {} })).await;
    code.write("real/Dockerfile", house.dockerfile("COPY . /\n")).symlink("link", "real").symlink("out", "/etc");
    code.symlink("Dockerfile.link", "/etc/passwd");
    code.commit("links").await;
    let cases = [
        (json!({ "dockerfile_path": "dockerfile" }), "dockerfile_missing", "dockerfile_path"),
        (json!({ "dockerfile_path": "link/Dockerfile" }), "bad_repository_path", "dockerfile_path"),
        (json!({ "dockerfile_path": "Dockerfile.link" }), "bad_repository_path", "dockerfile_path"),
        (json!({ "context_dir": "nowhere" }), "context_missing", "context_dir"),
        (json!({ "context_dir": "link" }), "bad_repository_path", "context_dir"),
        (json!({ "context_dir": "out" }), "bad_repository_path", "context_dir"),
        // Nothing to name the image by on a branch.
        (json!({ "version": { "kind": "templates", "templates": ["{tag}"] } }), "bad_tag_template", "version"),
    ];
    for (changes, error, field) in cases {
        let mut all = changes.clone();
        all["triggers"] = json!({});
        let spec = house.spec(&code_id, &all);
        house.product.must("rules.edit", json!({ "id": rule, "spec": spec })).await;
        let build = house.build(&rule, "main").await;
        assert_eq!(build["state"], "failed", "{build}");
        assert_code(&build["failure"], error);
        let at = build["failure"]["field"].as_str().unwrap_or_default();
        assert!(at.ends_with(field), "{changes}: {}", build["failure"]);
        if error == "dockerfile_missing" {
            assert_eq!(build["failure"]["details"]["suggestions"], "Dockerfile", "{build}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn seed_3_24_code_that_cannot_be_read_says_why() {
    let house = House::open().await;
    let product = &house.product;
    let right = Canary::word("git");
    let right = right.text();
    let server = GitServer::start(Some(PrivateCa::new()), Some(Login::new("ann", right))).await;
    let empty = server.publish("team/empty.git", &GitRepository::new().await).await;
    let code = GitRepository::new().await;
    code.write("a", "1");
    code.commit("a").await;
    let url = server.publish("team/app.git", &code).await;
    let ca = server.ca().map(PrivateCa::pem);
    let test = async |url: &str, password: &str, ca: Option<&str>| {
        let location = json!({ "kind": "git_url", "url": url, "username": "ann", "password": password, "ca_pem": ca });
        product.call("code_repositories.test", json!({ "form": { "name": "x", "location": location } })).await
    };
    let code_of = |answer: Result<Value, Value>| {
        let failure = answer.expect_err("it has to fail");
        assert!(!failure["message"].as_str().unwrap().is_empty());
        assert!(!failure.to_string().contains("wr0ng-password"), "{failure}");
        failure["code"].as_str().unwrap().to_owned()
    };
    assert!(test(&url, right, ca).await.is_ok());
    assert_eq!(code_of(test(&url, "wr0ng-password", ca).await), "source_unauthorized");
    assert_eq!(code_of(test(&url, right, None).await), "source_tls");
    assert_eq!(code_of(test(&server.url_of("team/nobody.git"), right, ca).await), "source_not_found");
    let nobody = format!("https://127.0.0.1:{}/team/app.git", free_port());
    assert_eq!(code_of(test(&nobody, right, ca).await), "source_unreachable");
    let answered = test(&empty, right, ca).await;
    assert!(answered.as_ref().is_ok_and(|refs| refs["refs"] == json!([])), "an empty repository is one: {answered:?}");
    server.set_mood(GitServerMood::RedirectTo("https://localhost:1".to_owned()));
    assert_eq!(code_of(test(&url, right, ca).await), "source_redirected");
    server.set_mood(GitServerMood::Refuse(503));
    assert_eq!(code_of(test(&url, right, ca).await), "source_server_error");
    server.set_mood(GitServerMood::Serve);

    // Authorize again: a wrong password is seen in the health, the right one heals it.
    let location = |password: &str| json!({ "kind": "git_url", "url": url, "username": "ann", "password": password, "ca_pem": ca });
    let form = json!({ "name": "again", "location": location("wr0ng-password") });
    let id = product.must("code_repositories.add", json!({ "form": form })).await["id"].clone();
    assert_eq!(code_of(product.call("code_repositories.check", json!({ "id": id })).await), "source_unauthorized");
    let health = product.must("code_repositories.list", json!({})).await;
    assert_eq!(health[0]["last_failure"]["code"], "source_unauthorized", "{health}");
    let form = json!({ "name": "again", "location": location(right) });
    product.must("code_repositories.edit", json!({ "id": id, "form": form })).await;
    house.look(&id).await;
    let health = product.must("code_repositories.list", json!({})).await;
    assert_eq!((&health[0]["last_failure"], &health[0]["default_branch"]), (&Value::Null, &json!("refs/heads/main")));
    let refs = product.must("code_repositories.refs", json!({ "id": id })).await;
    assert_eq!(refs["refs"][0]["name"], "refs/heads/main", "{refs}");

    // Web servers that are no git hosts.
    server.set_mood(GitServerMood::Refuse(200));
    assert_eq!(code_of(test(&url, right, ca).await), "source_not_git");
    server.set_mood(GitServerMood::Serve);
    let location = json!({ "kind": "git_url", "url": house.registry.url(), "allow_plain_http": true });
    let form = json!({ "name": "no git", "location": location });
    let told = code_of(product.call("code_repositories.test", json!({ "form": form })).await);
    assert_eq!(told, "source_not_found");
    let folder = slipway_testkit::TempDataDir::new();
    let location = json!({ "kind": "local_clone", "path": folder.path() });
    let form = json!({ "name": "a folder", "location": location });
    let told = code_of(product.call("code_repositories.test", json!({ "form": form })).await);
    assert_eq!(told, "bad_code_location");

    // A build of a repository without commits.
    let code = GitRepository::new().await;
    let code_id = walkthrough::add_clone(product, "empty", &code).await;
    let repository = house.repository("team/app").await;
    let rule = house.rule(&repository, &code_id, json!({})).await;
    let target = json!({ "kind": "ref", "name": "refs/heads/main" });
    let told = code_of(product.call("builds.start", json!({ "rule": rule, "target": target })).await);
    assert_eq!(told, "source_empty");
    house.close().await;
}

#[tokio::test]
async fn registries_that_cannot_be_used_name_the_failing_hop() {
    let house = House::open().await;
    let product = &house.product;
    let hop = async |registry: &Value, credential: &Value| {
        let request = json!({ "registry": registry, "credential": credential, "repository": "team/app" });
        let hops = product.must("registries.test", request).await;
        let failed = hops.as_array().unwrap().iter().find(|hop| !hop["failure"].is_null());
        failed.unwrap_or_else(|| panic!("a hop has to fail: {hops}"))["failure"]["code"].clone()
    };
    let form = json!({ "kind": "password", "username": "robot", "password": "wrong" });
    let request = json!({ "registry": house.registry_id, "name": "wrong", "form": form });
    let wrong = product.must("registries.add_credential", request).await["id"].clone();
    assert_eq!(hop(&house.registry_id, &wrong).await, "registry_unauthorized");
    let form = json!({ "name": "nobody", "host": format!("127.0.0.1:{}", free_port()), "plain_http": true });
    let nobody = product.must("registries.add", json!({ "form": form })).await["id"].clone();
    let request = json!({ "registry": nobody, "name": "none", "form": { "kind": "anonymous" } });
    let none = product.must("registries.add_credential", request).await["id"].clone();
    assert_eq!(hop(&nobody, &none).await, "registry_unreachable");

    // The right place, spoken to in the wrong way.
    let form = json!({ "name": "tls", "host": house.registry.host(), "plain_http": false });
    let tls = product.must("registries.add", json!({ "form": form })).await["id"].clone();
    let request = json!({ "registry": tls, "name": "none", "form": { "kind": "anonymous" } });
    let none = product.must("registries.add_credential", request).await["id"].clone();
    assert_eq!(hop(&tls, &none).await, "registry_plain_http");

    // A repository with a credential that cannot push is read-only, with the reason; rules are refused there.
    let spec =
        json!({ "registry": house.registry_id, "credential": wrong, "name": "team/locked", "source": "platform" });
    let locked = product.must("image_repositories.add", json!({ "spec": spec })).await["id"].clone();
    let code = house.code("COPY index.html /\n").await;
    let code_id = house.clone_of(&code).await;
    let spec = house.spec(&code_id, &json!({}));
    let refused = product.call("rules.add", json!({ "repository": locked, "spec": spec })).await;
    assert_code(&refused.unwrap_err(), "read_only_repository");
    house.close().await;
}

/// Starts the program on a data folder and returns what it says when it ends by itself.
async fn refused_start(product: &Product) -> String {
    let child = tokio::process::Command::new(program("slipway-devhost"))
        .arg("--data-dir")
        .arg(product.data_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let output = tokio::time::timeout(std::time::Duration::from_secs(30), child.wait_with_output());
    let output = output.await.expect("it ends by itself").unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn f18_f23_a_second_instance_and_a_damaged_or_newer_database() {
    let mut product = Product::start().await;
    let form = json!({ "name": "kept", "host": "registry.example:5000", "plain_http": false });
    product.must("registries.add", json!({ "form": form })).await;
    let told = refused_start(&product).await;
    assert!(told.contains("already_running"), "{told}");
    assert_eq!(product.must("registries.list", json!({})).await.as_array().unwrap().len(), 2, "the first goes on");

    product.kill().await;
    let database = product.data_dir().join("state.db");
    sql(
        &database,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
        SELECT MAX(version) + 1, 'newer', 1, checksum, 0 FROM _sqlx_migrations",
    )
    .await;
    let told = refused_start(&product).await;
    assert!(told.contains("database_newer"), "{told}");
    sql(&database, "DELETE FROM _sqlx_migrations WHERE description = 'newer'").await;
    product.kill_and_start_again().await;
    assert_eq!(product.must("registries.list", json!({})).await.as_array().unwrap().len(), 2, "nothing was lost");

    product.kill().await;
    std::fs::write(&database, vec![0xa5; 8192]).unwrap();
    product.kill_and_start_again().await;
    let status = product.must("system.status", json!({})).await;
    let aside = status["database_recovery"]["kept_aside"].as_str().expect("it says what was done").to_owned();
    assert!(std::fs::read(&aside).is_ok_and(|bytes| bytes[0] == 0xa5), "the damaged file is kept: {status}");
}

async fn sql(database: &std::path::Path, statement: &'static str) {
    use sqlx::Connection as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn f15_without_a_keychain_all_but_secrets_works() {
    let product = Product::start_without_keychain().await;
    let engine = slipway_testkit::Engine::require().await;
    let base = slipway_testkit::BaseImage::busybox(&engine).await;
    let kept = product.call("rules.keep_secret", json!({ "id": "token", "value": "secret" })).await;
    assert_code(&kept.unwrap_err(), "keychain_absent");
    let registry = slipway_testkit::RegistryServer::start(None, true).await;
    let (registry_id, credential) = walkthrough::add_registry(&product, "open", &registry).await;
    let form = json!({ "kind": "password", "username": "a", "password": "b" });
    let request = json!({ "registry": registry_id, "name": "login", "form": form });
    assert_code(&product.call("registries.add_credential", request).await.unwrap_err(), "keychain_absent");
    let code = walkthrough::helloworld_code(base.reference()).await;
    let code_id = walkthrough::add_clone(&product, "code", &code).await;
    let repository = walkthrough::add_repository(&product, &registry_id, &credential, "team/app").await;
    let rule = walkthrough::add_rule(&product, &repository, &code_id, "main").await;
    let target = json!({ "kind": "ref", "name": "refs/heads/main" });
    product.must("builds.start", json!({ "rule": rule, "target": target })).await;
    let build = product.finished_build(&repository, &[], crate::house::DEADLINE).await;
    assert_eq!(build["state"], "succeeded", "{build}");
    let image = build["image"]["id"].as_str().unwrap();
    engine.docker(&["rmi", "--force", image]).await;
}
