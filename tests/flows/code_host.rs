//! A push at GitHub through the whole product: noticed by the account's cheap question, cloned with its token, built, pushed,
//! and told beside the commit. The host is an emulator that others wrote, with real git behind it.

use crate::house::{DEADLINE, House};
use serde_json::{Value, json};
use slipway_testkit::{Canary, CanaryScan, GitRepository, NodeProgram, eventually};

/// GitHub with a private repository, and the product with an account, code and a rule for it.
pub(crate) struct Connected {
    pub(crate) house: House,
    pub(crate) github: NodeProgram,
    token: Canary,
    /// The person's own clone: it pushes with a token of its own.
    code: GitRepository,
    pub(crate) code_id: Value,
    pub(crate) repository: Value,
}

impl Connected {
    pub(crate) async fn open() -> Self {
        Self::open_with("COPY index.html /index.html\n").await
    }

    /// With this below FROM in the Dockerfile.
    async fn open_with(dockerfile: &str) -> Self {
        let token = Canary::word("github-account");
        let github = NodeProgram::start_with(&["github.mjs"], &[("EMULATED_TOKEN", token.text())]).await;
        let house = House::open().await;
        let code = house.code(dockerfile).await;
        let remote = github.url.replace("http://", "http://ada:pasted@");
        code.git(&["remote", "add", "host", &format!("{remote}/acme/web.git")]).await;
        code.git(&["push", "--quiet", "--force", "host", "main"]).await;

        let product = &house.product;
        let host = json!({ "provider": "github", "base_url": github.url, "allow_plain_http": true });
        let request = json!({ "host": host, "token": { "token": token.text() } });
        let account = product.must("accounts.add_with_token", request).await["id"].clone();
        let owners = product.must("accounts.organizations", json!({ "id": account })).await;
        let acme = owners.as_array().unwrap().iter().find(|owner| owner["path"] == "acme").unwrap();
        let listed = product.must("accounts.repositories", json!({ "id": account, "owner": acme, "search": "" })).await;
        let path = listed["items"][0]["path"].clone();
        assert_eq!(path, "acme/web", "{listed}");
        let branches = product.must("accounts.branches", json!({ "id": account, "path": path })).await;
        assert_eq!(branches["items"][0]["name"], "refs/heads/main", "{branches}");
        // Left alone the code is looked at once an hour: only the account's question finds a push before.
        let location = json!({ "kind": "account", "account": account, "path": path });
        let form = json!({ "name": "web", "location": location, "poll_interval_seconds": 3600 });
        let code_id = product.must("code_repositories.add", json!({ "form": form })).await["id"].clone();
        house.look(&code_id).await;
        let repository = house.repository("team/web").await;
        house.rule(&repository, &code_id, json!({ "report_status": true })).await;
        Self { house, github, token, code, code_id, repository }
    }

    /// Commits and pushes at the host; returns the commit.
    pub(crate) async fn push(&self, path: &str, content: &str) -> String {
        self.code.write(path, content);
        let commit = self.code.commit(path).await;
        self.code.git(&["push", "--quiet", "host", "main"]).await;
        commit
    }

    /// Pushes, lets the program look now, and returns the build when it is over.
    async fn build(&self, path: &str, content: &str) -> (String, Value) {
        let commit = self.push(path, content).await;
        self.house.look(&self.code_id).await;
        let build = self.house.all_over(&self.repository).await.pop().unwrap();
        assert_eq!(build["commit"]["id"], json!(commit), "{build}");
        (commit, self.house.get(&build["id"]).await)
    }

    pub(crate) async fn ask(&self, what: &str) -> Vec<Value> {
        let text = reqwest::get(format!("{}/test/{what}", self.github.url)).await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// What the host shows beside a commit: state and words, oldest first.
    async fn statuses(&self, commit: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let all = self.ask("statuses").await;
        let of_commit = all.iter().filter(|one| one["sha"] == commit);
        of_commit
            .map(|one| {
                assert_eq!(
                    (&one["repository"], &one["context"]),
                    (&json!("acme/web"), &json!("slipway/team/web (main)"))
                );
                (text(&one["state"]), text(&one["description"]))
            })
            .collect()
    }

    /// Waits until the host shows this state last.
    async fn told(&self, commit: &str, state: &str) -> Vec<(String, String)> {
        eventually(&format!("the host shows {state}"), DEADLINE, async || {
            let said = self.statuses(commit).await;
            if said.last().is_some_and(|(last, _)| last == state) { Ok(said) } else { Err(said) }
        })
        .await
    }

    async fn fail_reports(&self, faults: Value) {
        let request = reqwest::Client::new().post(format!("{}/test/faults", self.github.url)).body(faults.to_string());
        assert!(request.send().await.unwrap().status().is_success());
    }

    /// Waits until telling the host about a build stands like this.
    async fn report(&self, build: &Value, kind: &str) -> Value {
        eventually(&format!("the report is {kind}"), DEADLINE, async || {
            let build = self.house.get(&build["id"]).await;
            if build["report"]["kind"] == kind { Ok(build["report"].clone()) } else { Err(build["report"].clone()) }
        })
        .await
    }
}

#[tokio::test]
async fn seed_0_2_and_t01_a_push_at_github_is_noticed_built_pushed_and_told_and_the_token_is_nowhere() {
    // The newest state alone is told: the build takes as long as the host needs to hear that it is under way.
    let at = Connected::open_with("COPY index.html /index.html\nRUN sleep 20\n").await;
    let looks = async || at.ask("seen").await.into_iter().filter(|one| one["what"] == "list").collect::<Vec<_>>();
    eventually("the account was asked what moved", DEADLINE, async || {
        let looked = at.house.product.must("accounts.list", json!({})).await;
        if looked[0]["next_in_seconds"].is_number() { Ok(()) } else { Err(looked) }
    })
    .await;
    let before = looks().await.len();

    // Nobody clicks and nobody asks: the push is found by the account.
    let commit = at.push("index.html", "pushed at the host\n").await;
    let build = at.house.product.finished_build(&at.repository, &[], DEADLINE).await;
    assert_eq!((&build["state"], &build["kind"]), (&json!("succeeded"), &json!("push")), "{build}");
    assert_eq!(build["commit"]["id"], json!(commit));
    assert_eq!(at.house.file(&build["image"], "/index.html").await, "pushed at the host");
    let digest = at.house.registry.digest("team/web", &format!("main-{}", &commit[..7])).await;
    assert_eq!(digest.as_deref(), build["publications"][0]["digest"].as_str());
    assert!(looks().await.len() > before, "the account's question found it");

    let said = at.told(&commit, "success").await;
    assert_eq!(said[0], ("pending".to_owned(), "Build #1 is under way".to_owned()), "{said:?}");
    assert!(said.len() == 2 && said[1].1.starts_with("Build #1 succeeded in "), "{said:?}");
    assert_eq!(at.report(&build, "reported").await["state"], "success");

    let (commit, build) = at.build("Dockerfile", &at.house.dockerfile("RUN exit 7\n")).await;
    assert_eq!((&build["state"], &build["failure"]["code"]), (&json!("failed"), &json!("step_failed")), "{build}");
    let said = at.told(&commit, "failure").await;
    assert_eq!(said.last().unwrap().1, "Build #2 failed: Dockerfile");

    // The private code was cloned with the account's token, and with nothing else.
    let fetches: Vec<Value> =
        at.ask("seen").await.into_iter().filter(|one| one["what"] == "git" && one["user"] != "ada").collect();
    let with_token: Vec<&Value> = fetches.iter().filter(|one| !one["token"].is_null()).collect();
    assert!(!with_token.is_empty(), "{fetches:?}");
    for fetch in with_token {
        assert_eq!((&fetch["user"], &fetch["token"]), (&json!("x-access-token"), &json!(at.token.text())));
    }
    let scan = CanaryScan::new(&at.token);
    assert!(fetches.iter().all(|one| scan.bytes("an address", one["target"].as_str().unwrap().as_bytes()).is_empty()));
    assert_eq!(scan.folder(at.house.product.data_dir()), []);
    let own = format!("process {}", at.house.product.process_id());
    assert!(scan.command_lines().iter().all(|seen| seen.place != own));
    let shown = at.house.product.must("accounts.list", json!({})).await;
    let log = at.house.product.log_of(&build["id"]).await;
    assert_eq!(scan.bytes("the api", format!("{shown}{build}{log}").as_bytes()), []);

    // With nothing moving the question costs the host nothing.
    eventually("the host says that nothing changed", DEADLINE, async || {
        let asked = looks().await;
        if asked.iter().any(|look| look["conditional"] == true && look["status"] == 304) { Ok(()) } else { Err(asked) }
    })
    .await;
    at.house.close().await;
}

#[tokio::test]
async fn f08_a_host_that_takes_no_reports_fails_no_build() {
    let at = Connected::open().await;
    at.fail_reports(json!([{ "status": 403, "message": "Resource not accessible by personal access token" }])).await;
    let (commit, build) = at.build("index.html", "forbidden\n").await;
    assert_eq!((&build["state"], &build["failure"]), (&json!("succeeded"), &Value::Null), "{build}");
    let refused = at.report(&build, "refused").await;
    assert_eq!(refused["failure"]["code"], "source_forbidden", "{refused}");
    assert_eq!(at.statuses(&commit).await, [], "asked once");

    at.fail_reports(json!([{ "status": 500 }, { "status": 429, "headers": { "retry-after": "1" } }])).await;
    let (commit, build) = at.build("index.html", "out of order\n").await;
    assert_eq!((&build["state"], &build["failure"]), (&json!("succeeded"), &Value::Null), "{build}");
    at.told(&commit, "success").await;
    assert_eq!(at.report(&build, "reported").await["state"], "success");
    at.house.close().await;
}
