//! A commit becomes an image: content, identity, tags, secrets, several rules, filters, switches.

use crate::house::{House, assert_code, assert_failure, stage_starts};
use serde_json::{Value, json};
use slipway_testkit::{Canary, CanaryScan, GitServer, Login, PrivateCa, eventually};

fn states(builds: &[Value]) -> Vec<&str> {
    builds.iter().filter_map(|build| build["state"].as_str()).collect()
}

/// What becomes of each tag of a build.
fn publications(build: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = build["publications"].as_array().unwrap();
    all.iter().map(|one| (text(&one["tag"]), text(&one["state"]))).collect()
}

#[tokio::test]
async fn seed_0_7_a_push_is_built_and_pushed_without_a_click_and_an_edit_of_equal_size_is_in_the_image() {
    let house = House::open().await;
    let (code, code_id, repository, _) =
        house.all("COPY index.html /index.html\n", json!({ "overwrite_tag": "latest" })).await;
    let mut contents = Vec::new();
    for text in ["aaaa\n", "bbbb\n"] {
        code.write("index.html", text);
        let commit = code.commit(text).await;
        house.look(&code_id).await;
        let builds = house.all_over(&repository).await;
        let build = house.get(&builds.last().unwrap()["id"]).await;
        assert_eq!((&build["state"], &build["kind"]), (&json!("succeeded"), &json!("push")), "{build}");
        assert_eq!(house.file(&build["image"], "/index.html").await, text.trim());
        let tag = format!("main-{}", &commit[..7]);
        assert_eq!(publications(&build), [(tag.clone(), "done".into()), ("latest".into(), "done".into())]);
        let digest = house.registry.digest("team/app", &tag).await;
        assert_eq!(digest.as_deref(), build["publications"][0]["digest"].as_str());
        assert_eq!(house.registry.digest("team/app", "latest").await, digest, "latest moved");
        contents.push(build["image"]["content"].clone());
    }
    assert_ne!(contents[0], contents[1]);
    code.commit("nothing changed").await;
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    assert_eq!(builds.len(), 3, "one build per push");
    let build = house.get(&builds[2]["id"]).await;
    assert_eq!(build["image"]["content"], contents[1], "the same content has the same identity");
    assert!(publications(&build).iter().all(|(_, state)| state == "done"), "another commit, so another tag: {build}");
    house.close().await;
}

#[tokio::test]
async fn seed_2_6_rules_with_boxes_of_their_own_on_one_repository() {
    let house = House::open().await;
    let code = house.code("COPY index.html /\n").await;
    let code_id = house.clone_of(&code).await;
    let repository = house.repository("team/app").await;
    let rules = [
        // 3.10: a given branch; 3.11 a new tag; 3.13 a pattern; 2.6: no box, by hand only.
        ("branch", json!({ "branches": ["release"] }), "branch-{ref}"),
        ("tag", json!({ "new_tag": true }), "tag-{tag}"),
        ("pattern", json!({ "pattern": "^refs/heads/rel(.*)$" }), "pattern-{1}"),
        ("by hand", json!({}), "hand-{ref}"),
    ];
    for (name, triggers, template) in &rules {
        let version = json!({ "kind": "templates", "templates": [template] });
        house.rule(&repository, &code_id, json!({ "name": name, "triggers": triggers, "version": version })).await;
    }
    assert!(house.builds(&repository).await.is_empty(), "what exists already builds nothing");
    code.commit("to main: no rule wants it").await;
    house.look(&code_id).await;
    assert!(house.builds(&repository).await.is_empty());

    code.branch("release").await;
    code.annotated_tag("v1.0", "the first").await;
    house.look(&code_id).await;
    let mut tags: Vec<String> = Vec::new();
    for build in house.all_over(&repository).await {
        assert_eq!(build["state"], "succeeded", "{build}");
        tags.extend(build["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()));
    }
    tags.sort();
    assert_eq!(tags, ["branch-release", "pattern-ease", "tag-v1.0"], "2.10: a new branch counts as a push");

    // A tag that goes away builds nothing; made again it is new again.
    code.git(&["tag", "-d", "v1.0"]).await;
    house.look(&code_id).await;
    assert_eq!(house.builds(&repository).await.len(), 3);
    code.commit("later").await;
    code.tag("v1.0").await;
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    assert_eq!(builds.iter().filter(|build| build["ref_name"] == "refs/tags/v1.0").count(), 2, "{builds:?}");
    // A branch that goes away builds nothing.
    let before = builds.len();
    code.switch("main").await;
    code.git(&["branch", "-D", "release"]).await;
    house.look(&code_id).await;
    assert_eq!(house.builds(&repository).await.len(), before);
    house.close().await;
}

#[tokio::test]
async fn seed_3_12_a_force_push_back_builds_the_older_commit_again_and_moves_latest_back() {
    let house = House::open().await;
    let (code, code_id, repository, _) =
        house.all("COPY index.html /index.html\n", json!({ "overwrite_tag": "latest" })).await;
    code.write("index.html", "older\n");
    let older = code.commit("older").await;
    house.look(&code_id).await;
    house.all_over(&repository).await;
    code.write("index.html", "newer\n");
    code.commit("newer").await;
    house.look(&code_id).await;
    house.all_over(&repository).await;
    let newest = house.registry.digest("team/app", "latest").await;
    code.git(&["reset", "--hard", &older]).await;
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    assert_eq!(states(&builds), ["succeeded"; 3], "{builds:?}");
    assert_eq!(builds[2]["commit"]["id"], older);
    let latest = house.registry.digest("team/app", "latest").await;
    assert_ne!(latest, newest, "what was observed later is newer");
    assert_eq!(latest, house.registry.digest("team/app", &format!("main-{}", &older[..7])).await);
    let content = |build: &Value| build["image"]["content"].clone();
    assert_eq!(content(&builds[2]), content(&builds[0]), "the same commit has the same content");
    house.close().await;
}

#[tokio::test]
async fn seed_3_21_switched_off_pushes_are_ignored_and_build_now_still_works() {
    let house = House::open().await;
    let (code, code_id, repository, rule) = house.all("COPY index.html /\n", json!({})).await;
    house.product.must("rules.set_auto_trigger", json!({ "id": rule, "on": false })).await;
    code.write("index.html", "while off\n");
    code.commit("while off").await;
    house.look(&code_id).await;
    assert!(house.builds(&repository).await.is_empty());
    let build = house.build(&rule, "main").await;
    assert_eq!((&build["state"], &build["kind"]), (&json!("succeeded"), &json!("manual")), "{build}");
    code.commit("still off, seen by nobody").await;
    house.product.must("rules.set_auto_trigger", json!({ "id": rule, "on": true })).await;
    house.look(&code_id).await;
    assert_eq!(house.builds(&repository).await.len(), 1, "nothing old is built");
    code.commit("on again").await;
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    assert_eq!(states(&builds), ["succeeded"; 2]);

    // 3.20: the rule goes, its records stay, pushes build nothing.
    house.product.must("rules.delete", json!({ "id": rule })).await;
    code.commit("nobody listens").await;
    house.look(&code_id).await;
    assert_eq!(house.builds(&repository).await.len(), 2);
    let target = json!({ "kind": "ref", "name": "refs/heads/main" });
    let refused = house.product.call("builds.start", json!({ "rule": rule, "target": target })).await;
    assert_failure(refused, "not_found", None);
    house.close().await;
}

#[tokio::test]
async fn skip_words_and_path_filters_leave_a_row_with_the_reason() {
    let house = House::open().await;
    let paths = json!({ "include": ["src/**"], "exclude": ["**/*.md"] });
    let (code, code_id, repository, _) = house.all("COPY . /\n", json!({ "paths": paths })).await;
    code.write("src/a", "1");
    code.commit("in the filter").await;
    house.look(&code_id).await;
    house.all_over(&repository).await;
    code.write("src/readme.md", "1").write("docs/b", "1");
    code.commit("outside of the filter").await;
    house.look(&code_id).await;
    code.write("src/a", "2");
    code.commit("wanted, but [skip ci]").await;
    house.look(&code_id).await;
    code.write("other", "2");
    code.commit("the skipped change counts, for it was never built").await;
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    assert_eq!(states(&builds), ["succeeded", "skipped", "skipped", "succeeded"], "{builds:?}");
    assert_eq!(builds[1]["reason"]["kind"], "path_filter");
    assert_eq!(builds[1]["reason"]["changed"], 2);
    assert_eq!(builds[2]["reason"], json!({ "kind": "skip_word", "word": "[skip ci]" }));
    house.close().await;
}

#[tokio::test]
async fn seed_3_18_an_older_revision_moves_latest_only_when_asked() {
    let house = House::open().await;
    let by_hand = json!({ "overwrite_tag": "latest", "triggers": {} });
    let (code, _, _, rule) = house.all("COPY index.html /index.html\n", by_hand).await;
    let older = code.head().await;
    code.write("index.html", "newer\n");
    code.commit("newer").await;
    let build = house.build(&rule, "main").await;
    assert_eq!(build["tags"].as_array().unwrap().last(), Some(&json!("latest")), "{build}");
    let latest = house.registry.digest("team/app", "latest").await;
    let target = json!({ "kind": "commit", "id": older[..8] });
    let mut request = json!({ "rule": rule, "target": target, "overrides": { "tags": ["old"] } });
    let id = house.product.must("builds.start", request.clone()).await["id"].clone();
    let build = house.over(&id).await;
    assert_eq!((&build["state"], &build["tags"]), (&json!("succeeded"), &json!(["old"])), "{build}");
    assert_eq!(house.registry.digest("team/app", "latest").await, latest);
    request["overrides"]["overwrite"] = json!(true);
    let id = house.product.must("builds.start", request).await["id"].clone();
    let build = house.over(&id).await;
    assert_eq!(build["tags"], json!(["old", "latest"]), "{build}");
    let old = house.registry.digest("team/app", "old").await;
    assert!(old.is_some() && house.registry.digest("team/app", "latest").await == old, "{build}");
    let missing = json!({ "rule": rule, "target": { "kind": "commit", "id": "0123456789" } });
    assert_code(&house.product.call("builds.start", missing).await.unwrap_err(), "ref_not_found");
    let missing = json!({ "rule": rule, "target": { "kind": "ref", "name": "refs/heads/nowhere" } });
    assert_code(&house.product.call("builds.start", missing).await.unwrap_err(), "ref_not_found");
    house.close().await;
}

#[tokio::test]
async fn seed_3_14_dockerfile_directory_ticks_and_every_parameter_changed_by_an_edit() {
    let house = House::open().await;
    let (code, _, _, rule) = house.all("COPY index.html /\n", json!({})).await;
    code.write("build/Dockerfile", house.dockerfile("ARG GREETING\nCOPY page /page\nRUN echo $GREETING > /greeting\n"));
    code.write("site/page", "of the site\n");
    code.commit("elsewhere").await;
    let code_id = house.product.must("rules.get", json!({ "id": rule })).await["spec"]["code"].clone();
    // 3.15, 3.16, 3.19
    let spec = house.spec(
        &code_id,
        &json!({
            "name": "renamed",
            "dockerfile_path": "build/Dockerfile",
            "context_dir": "site",
            "version": { "kind": "parts", "prefix": "v", "ref_name": true, "update_time": true, "commit": true },
            "options": { "args": [{ "name": "GREETING", "value": "hello" }], "no_cache": true, "network": "none" },
        }),
    );
    house.product.must("rules.edit", json!({ "id": rule, "spec": spec })).await;
    let kept = house.product.must("rules.get", json!({ "id": rule })).await;
    assert_eq!(kept["spec"]["dockerfile_path"], "build/Dockerfile");
    let build = house.build(&rule, "main").await;
    assert_eq!(build["state"], "succeeded", "{build}");
    assert_eq!(house.file(&build["image"], "/page").await, "of the site");
    assert_eq!(house.file(&build["image"], "/greeting").await, "hello");
    let tag = build["tags"][0].as_str().unwrap();
    let parts: Vec<&str> = tag.split('-').collect();
    assert_eq!((parts[0], parts[1], parts[3]), ("v", "main", &code.head().await[..7]), "{tag}");
    assert!(parts[2].len() == 14 && parts[2].bytes().all(|b| b.is_ascii_digit()), "{tag}");
    // 2.16: the parameters of a build stay readable.
    assert_eq!(build["inputs"]["options"]["args"][0]["value"], "hello");
    assert_eq!((&build["inputs"]["context_dir"], &build["inputs"]["rule_name"]), (&json!("site"), &json!("renamed")));
    // 2.15: the log by step.
    let log = house.product.log_of(&build["id"]).await;
    assert!(log.contains("context site"), "{log}");
    house.close().await;
}

#[tokio::test]
async fn p8_t01_t09_a_secret_leaves_no_trace() {
    let canary = Canary::new("build-secret");
    let scan = CanaryScan::new(&canary);
    let house = House::open().await;
    let kept = house.product.must("rules.keep_secret", json!({ "id": "token", "value": canary.text() })).await;
    let secrets = json!([{ "id": "token", "secret": kept["secret"] }]);
    let gate = format!("gate-{}", house.mark);
    // While it sleeps, every command line of the machine is looked at. The last command is none that the shell would become.
    let step = format!(
        "RUN --mount=type=secret,id=token echo \"said: $(cat /run/secrets/token)\"; wc -c < /run/secrets/token > /length; \
         sleep 10; : {gate}\n"
    );
    let (_code, _, _, rule) = house.all(&step, json!({ "options": { "secrets": secrets } })).await;
    let id = house.start(&rule, "main").await;
    eventually("the step runs", crate::house::DEADLINE, async || {
        if House::is_running(&gate) { Ok(()) } else { Err(house.get(&id).await) }
    })
    .await;
    assert_eq!(scan.command_lines(), []);
    let build = house.over(&id).await;
    assert_eq!(build["state"], "succeeded", "{build}");
    let length = house.file(&build["image"], "/length").await;
    assert_eq!(length.trim(), canary.text().len().to_string(), "the step had the secret");
    let image = build["image"]["id"].as_str().unwrap();
    let history = house.engine.docker_ok(&["history", "--no-trunc", image]).await;
    let inspected = house.engine.docker_ok(&["inspect", image]).await;
    assert_eq!(scan.bytes("history", history.as_bytes()), []);
    assert_eq!(scan.bytes("inspect", inspected.as_bytes()), []);
    let log = house.product.log_of(&id).await;
    assert!(log.contains("said: ***"), "the log masks what the step says: {log}");
    assert_eq!(scan.bytes("log", log.as_bytes()), []);
    assert_eq!(scan.bytes("record", build.to_string().as_bytes()), []);
    assert_eq!(scan.folder(house.product.data_dir()), []);
    assert_eq!(scan.folder(&house.registry.storage()), []);
    house.close().await;
}

#[tokio::test]
async fn seed_2_8_refs_with_any_name_build_with_legal_tags() {
    let house = House::open().await;
    let (code, code_id, repository, _) = house
        .all("COPY index.html /\n", json!({ "version": { "kind": "parts", "ref_name": true, "commit": true } }))
        .await;
    let long = format!("{}/{}", "a".repeat(150), "b".repeat(149));
    let names = ["feature/x", "$(x)", "it's\"quoted\"", "分支/修正", "--upload-pack=x", &long];
    let head = code.head().await;
    for name in names {
        code.git(&["update-ref", &format!("refs/heads/{name}"), &head]).await;
    }
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    let mut seen: Vec<&str> = builds.iter().filter_map(|build| build["ref_name"].as_str()).collect();
    seen.sort_unstable();
    let mut tags = Vec::new();
    for build in &builds {
        assert_eq!(build["state"], "succeeded", "{build}");
        let tag = build["tags"][0].as_str().unwrap();
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        assert!(tag.len() <= 128 && tag.chars().all(legal) && !tag.starts_with(['.', '-']), "{tag}");
        assert!(house.registry.digest("team/app", tag).await.is_some(), "{tag} is in the registry");
        tags.push(tag.to_owned());
    }
    tags.sort();
    tags.dedup();
    // A name that could be read as an option is no ref for us; it builds nothing and breaks nothing.
    assert_eq!(seen.len(), names.len() - usize::from(!seen.contains(&"refs/heads/--upload-pack=x")), "{seen:?}");
    assert_eq!(tags.len(), seen.len(), "each ref has a tag of its own");
    assert!(tags.iter().any(|tag| tag.starts_with("feature-x-")), "{tags:?}");
    house.close().await;
}

#[tokio::test]
async fn seed_3_6_local_engine_gets_tags_and_no_push() {
    let house = House::open().await;
    let registries = house.product.must("registries.list", json!({})).await;
    let local = registries.as_array().unwrap().iter().find(|one| one["kind"] == "local_engine").unwrap();
    let name = format!("slipway-test/{}", house.mark);
    let spec = json!({ "registry": local["id"], "name": name, "source": "platform" });
    let repository = house.product.must("image_repositories.add", json!({ "spec": spec })).await["id"].clone();
    let code = house.code("COPY index.html /\n").await;
    let code_id = house.clone_of(&code).await;
    let rule = house.rule(&repository, &code_id, json!({ "overwrite_tag": "latest" })).await;
    let build = house.build(&rule, "main").await;
    assert_eq!(build["state"], "succeeded", "{build}");
    let image = house.engine.image_id(&format!("{name}:latest")).await;
    assert_eq!(image.as_deref(), build["image"]["id"].as_str());
    assert_eq!(build["publications"][0]["digest"], Value::Null, "nothing was pushed");
    assert_eq!(stage_starts(&build, "build"), 1);
    house.close().await;
}

#[tokio::test]
async fn seed_0_2_a_push_to_an_https_server_with_a_private_authority() {
    let house = House::open().await;
    let token = Canary::word("git");
    let server = GitServer::start(Some(PrivateCa::new()), Some(Login::new("ann", token.text()))).await;
    let code = house.code("COPY index.html /\n").await;
    let url = server.publish("team/app.git", &code).await;
    let location = json!({ "kind": "git_url", "url": url, "username": "ann", "password": token.text(),
        "ca_pem": server.ca().map(PrivateCa::pem) });
    let form = json!({ "name": "https", "location": location });
    let code_id = house.product.must("code_repositories.add", json!({ "form": form })).await["id"].clone();
    house.look(&code_id).await;
    let repository = house.repository("team/app").await;
    let rule = house.rule(&repository, &code_id, json!({})).await;
    code.write("index.html", "pushed\n");
    let commit = code.commit("pushed").await;
    code.push("main").await;
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    assert_eq!(states(&builds), ["succeeded"], "{builds:?}");
    assert!(house.registry.digest("team/app", &format!("main-{}", &commit[..7])).await.is_some());
    let image = house
        .engine
        .docker_ok(&["inspect", "--format", "{{json .Config.Labels}}", builds[0]["image"]["id"].as_str().unwrap()])
        .await;
    let labels: Value = serde_json::from_str(&image).unwrap();
    assert_eq!(labels["org.opencontainers.image.source"], url);
    assert_eq!(labels["org.opencontainers.image.revision"], commit);

    // 2.12: the same commit again by hand: the same content, the tag already holds it.
    let again = house.build(&rule, "main").await;
    assert_eq!(again["image"]["content"], builds[0]["image"]["content"]);
    house.close().await;
}

#[tokio::test]
async fn seed_2_7_the_preview_shows_what_a_rule_would_build_and_name() {
    let house = House::open().await;
    let code = house.code("COPY index.html /\n").await;
    code.git(&["branch", "a/b"]).await;
    code.git(&["branch", "a-b"]).await;
    code.tag("v1.2.3").await;
    let code_id = house.clone_of(&code).await;
    let version = json!({ "kind": "templates", "templates": ["{ref}"] });
    let request = json!({ "code": code_id, "triggers": { "any_branch": true }, "version": version });
    let preview = house.product.must("rules.preview", request).await;
    assert_eq!((&preview["of"], preview["matching"].as_array().unwrap().len()), (&json!(4), 3), "{preview}");
    assert_eq!(preview["collisions"][0]["tag"], "a-b", "{preview}");
    assert_eq!(preview["collisions"][0]["refs"].as_array().unwrap().len(), 2);

    let repository = house.repository("team/app").await;
    let spec = house.spec(&code_id, &json!({ "dockerfile_path": "dockerfile" }));
    let found = house.product.must("rules.preflight", json!({ "repository": repository, "spec": spec })).await;
    assert_eq!(found["errors"][0]["code"], "dockerfile_missing", "{found}");
    assert_eq!(found["errors"][0]["details"]["suggestions"], "Dockerfile");
    let spec = house.spec(&code_id, &json!({}));
    let found = house.product.must("rules.preflight", json!({ "repository": repository, "spec": spec })).await;
    assert_eq!(found["errors"], json!([]), "{found}");

    // A copy of a rule is off until somebody has looked at it.
    let rule = house.rule(&repository, &code_id, json!({})).await;
    let copy = house.product.must("rules.duplicate", json!({ "id": rule, "name": "copy" })).await["id"].clone();
    let copied = house.product.must("rules.get", json!({ "id": copy })).await;
    assert_eq!((&copied["spec"]["auto_trigger"], &copied["spec"]["name"]), (&json!(false), &json!("copy")));
    let taken = house.product.call("rules.duplicate", json!({ "id": rule, "name": "copy" })).await;
    assert_code(&taken.unwrap_err(), "name_taken");
    house.close().await;
}

#[tokio::test]
async fn the_newest_push_of_a_ref_supersedes_those_that_wait_and_every_push_builds_all() {
    let house = House::open().await;
    let (code, code_id, repository, _) = house.all("COPY index.html /\n", json!({})).await;
    let every = house.repository("team/every").await;
    house.rule(&every, &code_id, json!({ "strategy": "every_push" })).await;
    // The first push cannot end before the last one is seen.
    house.registry.freeze();
    for text in ["1", "2", "3"] {
        code.write("index.html", text);
        code.commit(text).await;
        house.look(&code_id).await;
    }
    house.registry.resume();
    let builds = house.all_over(&repository).await;
    assert_eq!(builds.len(), 3, "one row per push");
    assert_eq!(builds[2]["state"], "succeeded", "{builds:?}");
    assert_eq!((&builds[1]["state"], &builds[1]["covered_by"]), (&json!("superseded"), &builds[2]["id"]), "{builds:?}");
    assert_eq!(states(&house.all_over(&every).await), ["succeeded"; 3]);
    house.close().await;
}

#[tokio::test]
async fn a_tag_that_is_written_once_is_refused_before_anything_is_built() {
    let house = House::open().await;
    let spec = json!({ "registry": house.registry_id, "credential": house.credential, "name": "team/once",
        "source": "platform", "write_once": ["v.*"] });
    let repository = house.product.must("image_repositories.add", json!({ "spec": spec })).await["id"].clone();
    let code = house.code("COPY index.html /\n").await;
    let code_id = house.clone_of(&code).await;
    let version = json!({ "kind": "templates", "templates": ["v1"] });
    let rule = house.rule(&repository, &code_id, json!({ "triggers": {}, "version": version })).await;
    assert_eq!(house.build(&rule, "main").await["state"], "succeeded");
    let digest = house.registry.digest("team/once", "v1").await;
    code.write("index.html", "changed\n");
    code.commit("changed").await;
    let build = house.build(&rule, "main").await;
    assert_code(&build["failure"], "tag_immutable");
    assert_eq!(stage_starts(&build, "build"), 0, "{build}");
    assert_eq!(house.registry.digest("team/once", "v1").await, digest);
    house.close().await;
}

#[tokio::test]
async fn p7_running_an_older_push_again_leaves_latest_where_a_later_push_moved_it() {
    let house = House::open().await;
    let (code, code_id, repository, _) = house.all("COPY index.html /\n", json!({ "overwrite_tag": "latest" })).await;
    for text in ["older", "newer"] {
        code.write("index.html", text);
        code.commit(text).await;
        house.look(&code_id).await;
        house.all_over(&repository).await;
    }
    let latest = house.registry.digest("team/app", "latest").await;
    let builds = house.builds(&repository).await;
    let again = house.product.must("builds.rerun", json!({ "id": builds[0]["id"] })).await["id"].clone();
    let build = house.over(&again).await;
    assert_eq!(build["state"], "succeeded", "{build}");
    assert_eq!(publications(&build)[1], ("latest".to_owned(), "kept_newer".to_owned()), "{build}");
    assert_eq!(house.registry.digest("team/app", "latest").await, latest);
    let request = json!({ "id": builds[0]["id"], "overrides": { "overwrite": true } });
    let forced = house.product.must("builds.rerun", request).await["id"].clone();
    let build = house.over(&forced).await;
    assert_eq!(publications(&build)[1].1, "done", "asked for explicitly: {build}");
    assert_ne!(house.registry.digest("team/app", "latest").await, latest);
    house.close().await;
}

#[tokio::test]
async fn a_branch_and_a_tag_of_the_same_name_are_two_refs() {
    let house = House::open().await;
    let triggers = json!({ "any_branch": true, "new_tag": true });
    let version = json!({ "kind": "templates", "templates": ["b-{branch}", "t-{tag}", "t-{semver.major}"] });
    let (code, code_id, repository, _) =
        house.all("COPY index.html /\n", json!({ "triggers": triggers, "version": version })).await;
    code.git(&["branch", "v2.1.0"]).await;
    code.git(&["tag", "v2.1.0"]).await;
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    let mut tags: Vec<Value> = builds.iter().map(|build| build["tags"].clone()).collect();
    tags.sort_by_key(Value::to_string);
    assert_eq!(tags, [json!(["b-v2.1.0"]), json!(["t-v2.1.0", "t-2"])], "{builds:?}");
    assert_eq!(states(&builds), ["succeeded"; 2]);
    house.close().await;
}
