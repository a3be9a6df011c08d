//! Source accounts: a token goes in, opens the code of its own host alone, and never comes out.

use crate::world::{Ready, World, add_oci_repository, failure, rule_spec};
use slipway_app::Slipway;
use slipway_app::accounts::{AccountPage, HostInput, TokenInput};
use slipway_app::code_repositories::{CodeLocationInput, CodeRepositoryInput};
use slipway_core::host::{HostProvider, Need, RepositoryPath, Revocation};
use slipway_core::ids::{CodeRepositoryId, SourceAccountId};
use slipway_core::notice::NoticeFacts;
use slipway_core::{ErrorCode, Secret};
use slipway_testkit::Canary;

pub(crate) const PLACE: &str = "https://git.test/acme/web.git";

pub(crate) fn host() -> HostInput {
    HostInput {
        provider: HostProvider::Gitea,
        base_url: Some("git.test".to_owned()),
        ca_pem: None,
        allow_plain_http: false,
    }
}

pub(crate) fn token(text: &str) -> TokenInput {
    TokenInput { token: Secret::new(text), username: None, is_resource: false }
}

pub(crate) async fn connect(app: &Slipway, text: &str) -> SourceAccountId {
    app.add_account_with_token(&host(), &token(text), &[Need::Read]).await.unwrap().id
}

pub(crate) fn code_of(account: SourceAccountId, path: &str) -> CodeRepositoryInput {
    CodeRepositoryInput {
        name: path.to_owned(),
        location: CodeLocationInput::Account { account, path: RepositoryPath(path.to_owned()) },
        poll_interval_seconds: None,
    }
}

/// An account, code that it opens, and a rule over it.
pub(crate) async fn ready(world: &World) -> (Ready, SourceAccountId) {
    world.hosts.add_repository("acme/web", &["main", "next"]);
    world.code.repository(PLACE).push("main", "first", &[("Dockerfile", "FROM scratch\n")]);
    let app = world.open().await;
    let account = connect(&app, "ada-1").await;
    let code = app.add_code_repository(&code_of(account, "acme/web")).await.unwrap();
    let repository = add_oci_repository(&app, crate::world::HOST).await;
    let rule = app.add_rule(repository, &rule_spec(code)).await.unwrap();
    let ready = Ready { app, code, repository, rule };
    ready.look().await;
    (ready, account)
}

async fn notices(app: &Slipway) -> Vec<NoticeFacts> {
    let mut facts: Vec<_> =
        app.notices(None, 100, false).await.unwrap().items.into_iter().map(|notice| notice.facts).collect();
    facts.reverse();
    facts
}

#[tokio::test]
async fn seed_2_4_source_organization_repository_and_branch_are_chosen_from_lists() {
    let world = World::new();
    world.hosts.add_repository("acme/web", &["main", "next"]);
    world.hosts.add_repository("acme/api", &["main"]);
    world.hosts.add_repository("ada/notes", &["main"]);
    let app = world.open().await;
    let account = connect(&app, "ada-1").await;
    let owners = app.account_owners(account).await.unwrap();
    assert_eq!(owners.iter().map(|owner| owner.path.as_str()).collect::<Vec<_>>(), ["ada", "acme"]);
    let search = AccountPage { search: "we".to_owned(), page: None };
    let found = app.account_repositories(account, owners[1].clone(), search).await.unwrap().items;
    assert_eq!(found.iter().map(|one| one.path.0.as_str()).collect::<Vec<_>>(), ["acme/web"]);
    let kind = slipway_core::code::RefKind::Branch;
    let branches = app.account_refs(account, &found[0].path, kind, AccountPage::default()).await.unwrap().items;
    assert_eq!(branches.len(), 2);
    let code = app.add_code_repository(&code_of(account, "acme/web")).await.unwrap();
    let record = app.code_repository(code).await.unwrap();
    assert_eq!(record.account.unwrap().path.0, "acme/web");
    let gone = app.add_code_repository(&code_of(account, "acme/gone")).await.unwrap_err();
    assert_eq!((gone.code, gone.field.as_deref()), (ErrorCode::SourceNotFound, Some("location.path")));
    let twice = CodeRepositoryInput { name: "another name".to_owned(), ..code_of(account, "acme/web") };
    let twice = app.add_code_repository(&twice).await.unwrap_err();
    assert_eq!((twice.code, twice.field.as_deref()), (ErrorCode::SourceAlreadyAdded, Some("location.path")));
    assert_eq!(twice.details["code_repository"], code.to_string());
    app.edit_code_repository(code, &code_of(account, "acme/web")).await.unwrap();
}

#[tokio::test]
async fn a_pasted_token_is_checked_before_it_is_stored() {
    let world = World::new();
    let app = world.open().await;
    let add = async |text: &str| app.add_account_with_token(&host(), &token(text), &[Need::Read]).await;
    assert_eq!(add(" ").await.unwrap_err().field.as_deref(), Some("token"));
    assert_eq!(add("two words").await.unwrap_err().field.as_deref(), Some("token"));
    world.hosts.lack(&["read:org", "repo"]);
    let lacking = add("ada-1").await.unwrap_err();
    assert_eq!((lacking.code, lacking.field.as_deref()), (ErrorCode::SourceScopesMissing, Some("token")));
    assert_eq!(lacking.details["scopes"], "read:org, repo");
    world.hosts.lack(&[]);
    world.hosts.refuse("ada-1");
    let refused = add("ada-1").await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::SourceUnauthorized, Some("token")));
    world.hosts.accept_all();
    world.hosts.fail("identify", failure(ErrorCode::NotACodeHost), 1);
    assert_eq!(add("ada-1").await.unwrap_err().field.as_deref(), Some("base_url"));
    let plain = HostInput { base_url: Some("http://git.test".to_owned()), ..host() };
    let plain = app.add_account_with_token(&plain, &token("ada-1"), &[Need::Read]).await.unwrap_err();
    assert_eq!(plain.field.as_deref(), Some("base_url"), "plain HTTP needs a consent");
    assert!(app.accounts().await.unwrap().is_empty());
    world.vault.set_locked(true);
    assert_eq!(add("ada-1").await.unwrap_err().code, ErrorCode::KeychainLocked);
    world.vault.set_locked(false);
    let (first, again) = (add("ada-1").await.unwrap(), add("ada-2").await.unwrap());
    assert_eq!((first.renewed, again.renewed, first.id), (false, true, again.id));
    add("bob-1").await.unwrap();
    assert_eq!(app.accounts().await.unwrap().len(), 2, "several accounts of one host");
}

#[tokio::test]
async fn t01_t02_a_token_is_in_no_file_and_opens_its_own_host_alone() {
    let world = World::new();
    world.hosts.add_repository("acme/web", &["main"]);
    world.code.repository(PLACE).push("main", "first", &[("Dockerfile", "FROM scratch\n")]);
    let word = Canary::new("account").text().replace([' ', '"'], "");
    let app = world.open().await;
    let account = connect(&app, &word).await;
    let code = app.add_code_repository(&code_of(account, "acme/web")).await.unwrap();
    app.check_code_repository(code).await.unwrap();
    let access = world.code.last_access(PLACE).unwrap();
    assert_eq!(access.password.unwrap().expose(), word);
    app.shutdown().await;
    let random = word.split('-').next_back().unwrap().to_owned();
    assert!(!crate::secrets::holders(world.root.path(), "acme/web").is_empty(), "what is stored is found");
    assert_eq!(crate::secrets::holders(world.root.path(), &random), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_token_that_is_not_taken_any_more_pauses_its_rules_once_and_authorizing_again_catches_up() {
    let world = World::new();
    let (ready, account) = ready(&world).await;
    let second =
        slipway_core::rule::RuleSpec { name: "second".to_owned(), auto_trigger: false, ..rule_spec(ready.code) };
    ready.app.add_rule(ready.repository, &second).await.unwrap();
    world.hosts.refuse("ada-1");
    world.code.fail("remote_refs", failure(ErrorCode::SourceUnauthorized), 2);
    world.code.repository(PLACE).push("main", "second", &[("index.html", "two")]);
    for _ in 0..2 {
        let refused = ready.app.check_code_repository(ready.code).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::SourceUnauthorized);
    }
    let detail = ready.app.accounts().await.unwrap().remove(0);
    assert_eq!(detail.record.paused.unwrap().code, ErrorCode::SourceUnauthorized);
    assert_eq!(detail.rules[0].rule, ready.rule);
    let told = notices(&ready.app).await;
    let paused: Vec<_> = told
        .iter()
        .filter_map(|facts| match facts {
            NoticeFacts::AccountPaused { account, .. } => Some((account.login.as_str(), account.rules)),
            _ => None,
        })
        .collect();
    assert_eq!(paused, [("ada", 2)], "one notice for the account, however many rules: {told:?}");
    assert!(ready.builds().await.is_empty(), "nothing is marked as failed for it");

    let other = ready.app.reauthorize_account_with_token(account, &token("bob-1")).await.unwrap_err();
    assert_eq!((other.code, other.field.as_deref()), (ErrorCode::InvalidField, Some("token")));
    let again = ready.app.reauthorize_account_with_token(account, &token("ada-2")).await.unwrap();
    assert_eq!((again.id, again.renewed), (account, true));
    assert!(ready.app.accounts().await.unwrap()[0].record.paused.is_none());
    assert!(matches!(notices(&ready.app).await.last(), Some(NoticeFacts::AccountResumed { .. })));
    assert_eq!(ready.look().await.len(), 1, "what was pushed in between is built");
}

#[tokio::test]
async fn a_repository_that_is_closed_is_no_token_that_is_refused() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.code.fail("remote_refs", failure(ErrorCode::SourceUnauthorized), 1);
    ready.app.check_code_repository(ready.code).await.unwrap_err();
    let detail = ready.app.accounts().await.unwrap().remove(0);
    assert_eq!((detail.record.paused, detail.record.last_failure), (None, None));
    world.hosts.fail("identity", failure(ErrorCode::SourceUnreachable), 1);
    let away = ready.app.check_account(detail.record.id).await.unwrap_err();
    assert_eq!(away.code, ErrorCode::SourceUnreachable);
    let detail = ready.app.accounts().await.unwrap().remove(0);
    assert_eq!(detail.record.last_failure.unwrap().code, ErrorCode::SourceUnreachable);
    assert_eq!(detail.record.paused, None, "a host that is away pauses nothing");
}

#[tokio::test]
async fn unbinding_says_what_stops_and_authorizing_again_brings_it_back() {
    let world = World::new();
    let (ready, account) = ready(&world).await;
    let removal = ready.app.account_removal(account).await.unwrap();
    assert_eq!(removal.code, [(ready.code, "acme/web".to_owned())]);
    assert_eq!((removal.rules[0].rule, removal.can_revoke), (ready.rule, false));
    let by_hand = Revocation::ByHand { page: removal.revoke_page };
    assert_eq!(ready.app.delete_account(account).await.unwrap(), by_hand);
    assert!(ready.app.accounts().await.unwrap().is_empty());
    let closed = ready.app.check_code_repository(ready.code).await.unwrap_err();
    assert_eq!(
        (closed.code, closed.details["reason"].as_str()),
        (ErrorCode::SourceUnauthorized, "account_unbound"),
        "never without the token"
    );
    world.code.repository(PLACE).push("main", "second", &[("index.html", "two")]);
    let again = connect(&ready.app, "ada-2").await;
    assert_ne!(again, account);
    assert_eq!(ready.look().await.len(), 1);
    assert_eq!(code_account(&ready.app, ready.code).await, Some(again));
}

async fn code_account(app: &Slipway, code: CodeRepositoryId) -> Option<SourceAccountId> {
    app.code_repository(code).await.unwrap().account.unwrap().account
}
