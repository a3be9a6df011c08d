use super::{Setup, at, branch, rule_spec, setup};
use crate::{AccountFacts, AccountPlace};
use slipway_core::build::BuildState;
use slipway_core::code::CodeLocation;
use slipway_core::host::{
    Granted, HostBase, HostIdentity, HostProvider, Need, ReportStanding, ReportState, RepositoryPath, TokenKind,
};
use slipway_core::ids::{BuildId, SourceAccountId};
use slipway_core::rule::RuleSpec;
use slipway_core::{ErrorCode, Failure};

/// A setup whose code belongs to an account.
async fn with_account() -> (Setup, SourceAccountId) {
    let setup = setup().await;
    let identity = HostIdentity {
        id: "7".to_owned(),
        login: "ada".to_owned(),
        name: "Ada".to_owned(),
        granted: Granted::Unknown,
        missing: Vec::new(),
        expires_at: None,
    };
    let facts = AccountFacts {
        provider: HostProvider::Github,
        base: HostBase::new("https://git.test", false).unwrap(),
        ca_pem: None,
        identity,
        token_kind: TokenKind::Personal,
        needs: vec![Need::Read],
        sealed: b"sealed".to_vec(),
        client: None,
    };
    let account = setup.store.authorize_account(&facts, at(0)).await.unwrap().0;
    let place = AccountPlace {
        account: Some(account),
        key: setup.store.source_account(account).await.unwrap().key(),
        path: RepositoryPath("acme/web".to_owned()),
        repository: "1".to_owned(),
    };
    let location = CodeLocation::LocalClone { path: "/code/app".into() };
    setup.store.update_code_repository(setup.code, "app", &location, Some(&place), None).await.unwrap();
    (setup, account)
}

async fn ask_for_reports(setup: &Setup) {
    let spec = RuleSpec { report_status: true, ..rule_spec(setup.code, "main") };
    setup.store.update_rule(setup.rule, &spec, at(0)).await.unwrap();
}

async fn push(setup: &Setup, digit: char) -> BuildId {
    let main = branch("main");
    let observation = setup.push(&main, digit).await;
    setup.store.create_build(&setup.push_build(&main, digit, observation), at(1)).await.unwrap().id
}

#[tokio::test]
async fn a_build_is_reported_when_its_rule_asks_and_its_code_has_an_account() {
    let (with, account) = with_account().await;
    let silent = push(&with, 'a').await;
    assert_eq!(with.store.report_standing(silent).await.unwrap(), None, "the rule does not ask");
    ask_for_reports(&with).await;
    let told = push(&with, 'b').await;
    let open = with.store.open_reports().await.unwrap();
    assert_eq!(open.iter().map(|one| one.build.id).collect::<Vec<_>>(), [told]);
    assert_eq!((open[0].account, open[0].context.as_str()), (Some(account), "slipway/team/app (main)"));

    let without = setup().await;
    ask_for_reports(&without).await;
    push(&without, 'a').await;
    assert_eq!(without.store.open_reports().await.unwrap(), [], "a clone has no host");
}

#[tokio::test]
async fn what_was_told_is_kept_until_the_end_was_told() {
    let (setup, _) = with_account().await;
    ask_for_reports(&setup).await;
    let (store, build) = (&setup.store, push(&setup, 'a').await);
    let standing = async || store.report_standing(build).await.unwrap().unwrap();
    assert_eq!(standing().await, ReportStanding::Waiting { failure: None, next_try_at: None });
    let down = Failure::new(ErrorCode::SourceServerError, "500");
    store.report_failed(build, &down, Some(at(9))).await.unwrap();
    assert_eq!(standing().await, ReportStanding::Waiting { failure: Some(down), next_try_at: Some(at(9)) });
    assert_eq!(store.open_reports().await.unwrap()[0].attempt, 1);

    store.report_told(build, ReportState::Pending, Some("run 1"), at(10)).await.unwrap();
    assert_eq!(standing().await, ReportStanding::Reported { state: ReportState::Pending, at: at(10) });
    store.claim(build, "boot", at(11)).await.unwrap();
    store.finish(build, BuildState::Succeeded, None, None, at(12)).await.unwrap();
    assert_eq!(standing().await, ReportStanding::Waiting { failure: None, next_try_at: None }, "it ended since");
    let open = store.open_reports().await.unwrap();
    assert_eq!((open[0].reported, open[0].handle.as_deref()), (Some(ReportState::Pending), Some("run 1")));

    store.report_told(build, ReportState::Success, None, at(13)).await.unwrap();
    assert_eq!(standing().await, ReportStanding::Reported { state: ReportState::Success, at: at(13) });
    assert_eq!(store.open_reports().await.unwrap(), []);
    store.delete_record(build).await.unwrap();
    assert_eq!(store.report_standing(build).await.unwrap(), None);
}

#[tokio::test]
async fn a_refusal_is_final_and_a_later_build_takes_the_place() {
    let (setup, account) = with_account().await;
    ask_for_reports(&setup).await;
    let store = &setup.store;
    let refused = push(&setup, 'a').await;
    let why = Failure::new(ErrorCode::SourceForbidden, "403");
    store.report_failed(refused, &why, None).await.unwrap();
    assert_eq!(store.report_standing(refused).await.unwrap(), Some(ReportStanding::Refused { failure: why.clone() }));

    let first = push(&setup, 'b').await;
    store.pause_source_account(account, &why, at(2)).await.unwrap();
    assert_eq!(store.open_reports().await.unwrap()[0].account, None, "a paused account is not asked");
    // The same commit again, by hand.
    let again = store
        .create_build(
            &crate::NewBuild { inputs: setup.inputs(&branch("main"), 'b', None), ..setup.manual_build() },
            at(3),
        )
        .await
        .unwrap()
        .id;
    assert_eq!(store.report_standing(first).await.unwrap(), Some(ReportStanding::Replaced));
    let open: Vec<_> = store.open_reports().await.unwrap().into_iter().map(|one| one.build.id).collect();
    assert_eq!(open, [again], "what was refused stays so");
    // An answer that comes late does not bring it back.
    store.report_told(first, ReportState::Pending, None, at(4)).await.unwrap();
    assert_eq!(store.report_standing(first).await.unwrap(), Some(ReportStanding::Replaced));
}
