//! Options of a build, its steps and its logs.

use super::support::{Tree, build, engine, forget, fresh, pair, request, secret};
use slipway_core::log::BuildEvent;
use slipway_core::rule::BuildNetwork;

#[tokio::test]
async fn arguments_target_and_labels_are_used() {
    let (engine, base) = engine().await;
    let dockerfile =
        format!("FROM {base} AS one\nARG WHO=nobody\nRUN echo \"$WHO\" > /who\nFROM one AS two\nRUN echo 2 > /two\n");
    let mut wanted = request(Tree::files(&[]), &dockerfile);
    wanted.args = vec![pair("WHO", "某人 & co")];
    wanted.labels = vec![pair("org.example", "a=b c")];
    wanted.target = Some("one".into());
    let id = wanted.build;
    let ran = build(&engine, wanted).await;
    assert_eq!(
        engine.output_of(ran.image(), &["sh", "-c", "cat /who; test -e /two || echo none"]).await,
        "某人 & co\nnone"
    );
    let labels = engine.docker_ok(&["inspect", "--format", "{{json .Config.Labels}}", ran.image()]).await;
    assert!(
        labels.contains("\"org.example\":\"a=b c\"") && labels.contains(&format!("\"slipway.build\":\"{id}\"")),
        "{labels}"
    );
    forget(&engine, &ran).await;
}

#[tokio::test]
async fn t09_a_secret_is_seen_by_run_only() {
    let (engine, base) = engine().await;
    let canary = format!("canary-{}", fresh());
    // The engine's cache does not look at secrets, so the command itself has to be new.
    let dockerfile = format!(
        "FROM {base}\nRUN --mount=type=secret,id=npm echo {}; sha256sum < /run/secrets/npm > /sum; test -s /run/secrets/npm\n",
        fresh()
    );
    let mut wanted = request(Tree::files(&[]), &dockerfile);
    wanted.secrets = vec![secret("npm", &canary)];
    let ran = build(&engine, wanted).await;
    let sum: String =
        <sha2::Sha256 as sha2::Digest>::digest(canary.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(engine.output_of(ran.image(), &["cat", "/sum"]).await, format!("{sum}  -"));
    let inspect = engine.docker_ok(&["inspect", ran.image()]).await;
    let history = engine.docker_ok(&["history", "--no-trunc", ran.image()]).await;
    assert!(!inspect.contains(&canary) && !history.contains(&canary) && !format!("{:?}", ran.events).contains(&canary));
    forget(&engine, &ran).await;
}

#[tokio::test]
async fn steps_of_stages_have_places_times_and_output() {
    let (engine, base) = engine().await;
    let mark = fresh();
    let dockerfile = format!(
        "FROM {base} AS make\nRUN echo out-{mark}; \\\n    echo err-{mark} >&2\nFROM {base}\nWORKDIR /w\nCOPY --from=make /bin/busybox x\n"
    );
    let mut wanted = request(Tree::files(&[]), &dockerfile);
    wanted.no_cache = true;
    let ran = build(&engine, wanted).await;
    let run = ran.step(&format!("echo err-{mark} >&2"));
    assert_eq!((run.stage.as_deref(), run.position, run.lines), (Some("make"), Some((2, 2)), Some((2, 3))));
    assert!(run.started.unwrap() <= run.completed.unwrap());
    let copy = ran.step("COPY --from=make /bin/busybox x");
    assert_eq!((copy.stage.as_deref(), copy.position, copy.lines), (Some("stage-1"), Some((3, 3)), Some((6, 6))));
    assert!(ran.events.iter().any(|event| matches!(event, BuildEvent::Step(step) if step.internal)));
    let log = ran.log();
    assert!(log.contains(&format!("out-{mark}\n")) && log.contains(&format!("err-{mark}\n")), "{log}");
    forget(&engine, &ran).await;
}

#[tokio::test]
async fn a_flood_of_output_is_whole_or_said_to_be_clipped() {
    let (engine, base) = engine().await;
    let dockerfile = format!(
        "FROM {base}\nRUN echo {}; yes 'line of a rather long log with some more words in it' | head -n 200000\n",
        fresh()
    );
    let ran = build(&engine, request(Tree::files(&[]), &dockerfile)).await;
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    let clipped = ran.events.iter().filter(|event| matches!(event, BuildEvent::Clipped { .. })).count();
    let lines = ran.log().lines().filter(|line| line.starts_with("line ")).count();
    assert!(
        (clipped == 0 && lines == 200_000) || (clipped == 1 && lines < 200_000),
        "{clipped} clipped, {lines} lines"
    );
    forget(&engine, &ran).await;
}

#[tokio::test]
async fn run_sees_the_network_that_the_rule_says() {
    let (engine, base) = engine().await;
    for (network, expected) in [(BuildNetwork::None, false), (BuildNetwork::Host, true)] {
        let dockerfile =
            format!("FROM {base}\nRUN echo {}; ls /sys/class/net | grep -v '^lo$' > /net; true\n", fresh());
        let mut wanted = request(Tree::files(&[]), &dockerfile);
        wanted.network = network;
        let ran = build(&engine, wanted).await;
        let seen = engine.output_of(ran.image(), &["cat", "/net"]).await;
        assert_eq!(!seen.is_empty(), expected, "{network:?}: {seen}");
        forget(&engine, &ran).await;
    }
}
