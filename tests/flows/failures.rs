//! Builds that fail, and what a person reads about them; logs that the engine cuts.

use crate::house::{House, assert_code};
use serde_json::{Value, json};

/// Replaces the Dockerfile below `FROM`, builds `main` and returns the build.
async fn build_of(house: &House, code: &slipway_testkit::GitRepository, rule: &Value, dockerfile: &str) -> Value {
    code.write("Dockerfile", house.dockerfile(dockerfile));
    code.commit("another Dockerfile").await;
    house.build(rule, "main").await
}

#[tokio::test]
async fn seed_3_25_a_failed_build_names_the_cause_the_line_and_the_step() {
    let house = House::open().await;
    let (code, code_id, _, rule) = house.all("COPY index.html /\n", json!({ "triggers": {} })).await;

    let run = format!("COPY index.html /\nRUN echo before-{}; exit 7\n", house.mark);
    let build = build_of(&house, &code, &rule, &run).await;
    let failure = &build["failure"];
    assert_code(failure, "step_failed");
    assert_eq!(
        (&failure["details"]["exit_code"], &failure["details"]["line"]),
        (&json!("7"), &json!("3")),
        "{failure}"
    );
    assert!(failure["details"]["step"].as_str().is_some_and(|step| step.contains("exit 7")), "{failure}");
    assert_eq!((&build["state"], &build["stage"]), (&json!("failed"), &json!("build")), "{build}");
    let step = build["steps"].as_array().unwrap().iter().find(|step| !step["error"].is_null());
    assert_eq!(step.map(|step| &step["lines"]), Some(&json!([3, 3])), "the failed step has its line: {build}");
    let log = house.product.log_of(&build["id"]).await;
    assert!(log.contains(&format!("before-{}", house.mark)), "{log}");
    assert!(build["publications"].as_array().unwrap().is_empty(), "nothing was pushed");

    let cases = [
        ("COPY index.html /\nRUNN echo\n", "dockerfile_syntax", ("line", "3")),
        ("COPY missing.html /\n", "copy_source_missing", ("path", "missing.html")),
        ("RUN --mount=type=secret,id=absent,required=true true\n", "secret_missing", ("secret", "absent")),
    ];
    for (dockerfile, error, (fact, value)) in cases {
        let build = build_of(&house, &code, &rule, dockerfile).await;
        assert_code(&build["failure"], error);
        let told = build["failure"]["details"][fact].as_str().unwrap_or_default();
        assert!(told.trim_start_matches('/') == value, "{error}: {build}");
    }
    code.write("Dockerfile", format!("FROM {}/team/nothing:1\n", house.registry.host()));
    code.commit("base image of nobody").await;
    let build = house.build(&rule, "main").await;
    assert_code(&build["failure"], "base_image_missing");
    let spec = house.spec(&code_id, &json!({ "triggers": {}, "options": { "target": "nowhere" } }));
    house.product.must("rules.edit", json!({ "id": rule, "spec": spec })).await;
    let build = build_of(&house, &code, &rule, "COPY index.html /\n").await;
    assert_code(&build["failure"], "target_missing");

    // The rule is corrected: the same rule builds again.
    let spec = house.spec(&code_id, &json!({ "triggers": {} }));
    house.product.must("rules.edit", json!({ "id": rule, "spec": spec })).await;
    assert_eq!(house.build(&rule, "main").await["state"], "succeeded");
    house.close().await;
}

#[tokio::test]
async fn two_platforms_on_an_engine_that_stores_one_are_refused_with_the_reason() {
    let house = House::open().await;
    let status = house.product.must("system.status", json!({})).await;
    let platforms = json!([{ "os": "linux", "architecture": "amd64" }, { "os": "linux", "architecture": "arm64" }]);
    let (_code, _, _, rule) =
        house.all("COPY index.html /\n", json!({ "triggers": {}, "options": { "platforms": platforms } })).await;
    let build = house.build(&rule, "main").await;
    if status["engine"]["several_platforms"] == true {
        assert_eq!(build["state"], "succeeded", "{build}");
    } else {
        assert_code(&build["failure"], "engine_platforms");
        assert!(build["failure"]["message"].as_str().unwrap().contains("containerd image store"), "{build}");
    }
    house.close().await;
}

#[tokio::test]
async fn seed_2_15_a_log_that_the_engine_clips_says_so() {
    let house = House::open().await;
    let line = "x".repeat(150);
    let run = format!("RUN : {}; yes {line} | head -n 20000\nRUN echo after\n", house.mark);
    let (_code, _, _, rule) = house.all(&run, json!({ "triggers": {} })).await;
    let build = house.build(&rule, "main").await;
    assert_eq!(build["state"], "succeeded", "{build}");
    let steps = build["steps"].as_array().unwrap();
    let clipped: Vec<&Value> = steps.iter().filter(|step| step["clipped"] == true).collect();
    let whole = build["log_lines"].as_u64().unwrap() >= 20_000;
    // An engine whose limits were lifted clips nothing; then every line is there.
    assert!(whole != (clipped.len() == 1), "{clipped:?} of {} lines", build["log_lines"]);
    if let [step] = clipped[..] {
        assert!(step["name"].as_str().unwrap().contains("head -n 20000"), "{step}");
        let found = house
            .product
            .must(
                "builds.log_search",
                json!({ "id": build["id"], "text": "output clipped", "any_case": true, "limit": 10 }),
            )
            .await;
        assert!(found["count"].as_u64().unwrap() >= 1, "the log has the engine's own words: {found}");
    }
    house.close().await;
}

#[tokio::test]
async fn p5_a_build_that_takes_too_long_is_stopped_on_the_engine() {
    let house = House::open().await;
    let gate = format!("gate-{}", house.mark);
    let run = format!("RUN sleep 300; : {gate}\n");
    let options = json!({ "timeout_seconds": 10 });
    let (_code, _, _, rule) = house.all(&run, json!({ "triggers": {}, "options": options })).await;
    let build = house.build(&rule, "main").await;
    assert_code(&build["failure"], "timed_out");
    assert_eq!((&build["state"], &build["failure"]["details"]["seconds"]), (&json!("failed"), &json!("10")), "{build}");
    slipway_testkit::eventually("the step is gone", std::time::Duration::from_secs(60), async || {
        if House::is_running(&gate) { Err(()) } else { Ok(()) }
    })
    .await;
    house.close().await;
}

#[tokio::test]
async fn a_git_lfs_pointer_is_an_error_and_no_broken_image() {
    let house = House::open().await;
    let (code, _, _, rule) = house.all("COPY . /app/\n", json!({ "triggers": {} })).await;
    code.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n", "ab".repeat(32));
    let blob = blob_of(&code, &pointer).await;
    code.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},model.bin")]).await;
    code.git(&["add", ".gitattributes"]).await;
    code.git(&["commit", "-m", "a pointer"]).await;
    let build = house.build(&rule, "main").await;
    assert_code(&build["failure"], "lfs_pointer");
    assert!(build["failure"].to_string().contains("model.bin"), "{build}");
    house.close().await;
}

/// Writes a blob past git's filters and returns its id.
async fn blob_of(code: &slipway_testkit::GitRepository, content: &str) -> String {
    let path = code.path().join(".git/pointer");
    std::fs::write(&path, content).unwrap();
    code.git(&["hash-object", "-w", "--no-filters", path.to_str().unwrap()]).await
}
