#![allow(clippy::unwrap_used)]
use super::*;
use crate::build::{BuildNumber, BuildState};
use crate::code::{CommitId, RefName};
use crate::host::PageLanguage;
use crate::ids::{BuildId, ImageRepositoryId};
use crate::notice::{NoticeFacts, NoticedBuild};
use chrono::DateTime;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

const ADDRESS: &str = "https://hooks.example/robot/send?key=0123456789abcdef";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_599_360_473_123).unwrap()
}

/// A failed build of a branch whose name and commit title want to be more than words.
fn failed_build() -> ChannelMessage {
    let build = NoticedBuild {
        build: BuildId(7),
        number: BuildNumber(3),
        repository: ImageRepositoryId(1),
        repository_name: "team/app".to_owned(),
        rule_name: Some("pushes".to_owned()),
        ref_name: Some(RefName::branch("feature/<!channel>").unwrap()),
    };
    let commit = MessageCommit {
        id: CommitId::new("a".repeat(40)).unwrap(),
        title: "@all <at user_id=\"all\">x</at> [pay](http://evil.example) \u{202e}& \u{1b}[31mred".to_owned(),
    };
    let facts = MessageFacts::Build {
        build,
        state: BuildState::Failed,
        recovered: false,
        code: Some(ErrorCode::StepFailed),
        commit: Some(commit),
        images: Vec::new(),
    };
    ChannelMessage { events: vec![ChannelEvent::BuildFailed, ChannelEvent::BuildEnded], at: now(), facts }
}

fn sent(kind: ChannelKind, secret: Option<&str>, language: PageLanguage) -> ChannelCall {
    let message = failed_build();
    let words = Words::of(&message, language);
    let secret = secret.map(Secret::new);
    let sending = Sending { key: "key-1", message: &message, words: &words, secret: secret.as_ref(), now: now() };
    kind.call(&Secret::new(ADDRESS), false, &sending).unwrap()
}

fn body(call: &ChannelCall) -> Value {
    serde_json::from_slice(&call.body).unwrap()
}

fn header<'a>(call: &'a ChannelCall, name: &str) -> Option<&'a str> {
    call.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.expose())
}

#[test]
fn slack_gets_escaped_words_without_mentions() {
    let call = sent(ChannelKind::Slack, None, PageLanguage::English);
    let expected = "*Slipway · Build failed: team/app #3*\nRule: pushes\nBranch or tag: feature/&lt;!channel&gt;\n\
        Commit: aaaaaaa ＠all &lt;at user_id=\"all\"&gt;x&lt;/at&gt; ［pay］(http://evil.example) &lt;U+202E&gt;&amp; red\n\
        Reason: Dockerfile (step_failed)";
    assert_eq!(body(&call), json!({ "text": expected }));
    assert_eq!(call.address.expose(), ADDRESS);
    assert_eq!(header(&call, "idempotency-key"), Some("key-1"));
}

#[test]
fn wecom_gets_markdown_in_the_language_of_the_application() {
    let call = sent(ChannelKind::Wecom, None, PageLanguage::Chinese);
    let expected = "**Slipway · 构建失败：team/app #3**\n构建规则：pushes\n分支或标签：feature/＜!channel＞\n\
        提交：aaaaaaa ＠all ＜at user_id=\"all\"＞x＜/at＞ ［pay］(http://evil.example) ＜U+202E＞& red\n\
        原因：Dockerfile (step_failed)";
    assert_eq!(body(&call), json!({ "msgtype": "markdown", "markdown": { "content": expected } }));
    assert_eq!(call.address.expose(), ADDRESS);
}

#[test]
fn a_long_message_to_wecom_keeps_its_limit() {
    let message = failed_build();
    let words = Words { title: "长".repeat(900), lines: vec!["行".repeat(900)] };
    let sending = Sending { key: "k", message: &message, words: &words, secret: None, now: now() };
    let call = ChannelKind::Wecom.call(&Secret::new(ADDRESS), false, &sending).unwrap();
    let text = body(&call)["markdown"]["content"].as_str().unwrap().to_owned();
    assert!(text.len() <= 4096 && text.len() > 4080 && text.ends_with('…'), "{}", text.len());
}

/// The signatures are those of `openssl dgst -sha256 -hmac`.
#[test]
fn dingtalk_signs_time_and_secret_in_the_query() {
    let call = sent(ChannelKind::Dingtalk, Some("SEC000"), PageLanguage::English);
    let sign = "Ppef8AlDp0FzWA0Fa2wDSshuqY/q8UpXohkz/FY2R1s=";
    let url = Url::parse(call.address.expose()).unwrap();
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(query, [pair("key", "0123456789abcdef"), pair("timestamp", "1599360473123"), pair("sign", sign)]);
    let body = body(&call);
    assert_eq!(body["msgtype"], "markdown");
    assert_eq!(body["markdown"]["title"], "Slipway · Build failed: team/app #3");
    assert!(
        body["markdown"]["text"].as_str().unwrap().contains("\n\nBranch or tag: feature/＜!channel＞\n\n"),
        "{body}"
    );
    assert_eq!(body["at"], json!({ "isAtAll": false }));
    assert_eq!(sent(ChannelKind::Dingtalk, None, PageLanguage::English).address.expose(), ADDRESS);
}

#[test]
fn feishu_signs_nothing_with_time_and_secret_in_the_body() {
    let call = sent(ChannelKind::Feishu, Some("demo"), PageLanguage::English);
    let signed = body(&call);
    assert_eq!(signed["timestamp"], "1599360473");
    assert_eq!(signed["sign"], "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=");
    assert_eq!(signed["msg_type"], "text");
    let text = signed["content"]["text"].as_str().unwrap();
    assert!(text.starts_with("Slipway · Build failed: team/app #3\n") && !text.contains(['<', '@']), "{text}");
    assert_eq!(body(&sent(ChannelKind::Feishu, None, PageLanguage::English)).get("sign"), None);
}

#[test]
fn ntfy_gets_text_with_headers() {
    let call = sent(ChannelKind::Ntfy, Some("tk_abc"), PageLanguage::Chinese);
    assert_eq!(header(&call, "authorization"), Some("Bearer tk_abc"));
    assert_eq!((header(&call, "priority"), header(&call, "tags")), (Some("4"), Some("x")));
    // "Slipway · 构建失败：team/app #3" in encoded words of at most 75 characters.
    assert_eq!(header(&call, "title"), Some("=?UTF-8?B?U2xpcHdheSDCtyDmnoTlu7rlpLHotKXvvJp0ZWFtL2FwcCAjMw==?="));
    assert!(
        String::from_utf8(call.body.clone()).unwrap().starts_with("构建规则：pushes\n分支或标签：feature/<!channel>\n")
    );
    let long = ntfy_title(&"构建".repeat(40));
    assert!(long.split(' ').count() > 1 && long.split(' ').all(|word| word.len() <= 75), "{long}");
    assert_eq!(ntfy_title("plain"), "plain");
}

fn ntfy_title(title: &str) -> String {
    let message = failed_build();
    let words = Words { title: title.to_owned(), lines: Vec::new() };
    let sending = Sending { key: "k", message: &message, words: &words, secret: None, now: now() };
    let call = ChannelKind::Ntfy.call(&Secret::new(ADDRESS), false, &sending).unwrap();
    header(&call, "title").unwrap().to_owned()
}

#[test]
fn programs_get_facts_and_a_signature_of_the_raw_body() {
    let call = sent(ChannelKind::Generic, Some("key"), PageLanguage::English);
    let facts = body(&call);
    assert_eq!(facts["event"], "build_failed");
    assert_eq!((&facts["id"], &facts["severity"], &facts["version"]), (&json!("key-1"), &json!("error"), &json!(1)));
    assert_eq!(facts["at"], "2020-09-06T02:47:53Z");
    assert_eq!(
        facts["build"],
        json!({
            "id": 7, "number": 3, "repository": "team/app", "rule": "pushes", "ref": "refs/heads/feature/<!channel>",
            "state": "failed", "recovered": false, "error": "step_failed", "commit": "a".repeat(40), "images": [],
            "commit_title": "@all <at user_id=\"all\">x</at> [pay](http://evil.example) <U+202E>& red",
        })
    );
    let signature = hex::encode(hmac_sha256(b"key", &call.body));
    assert_eq!(header(&call, "x-hub-signature-256"), Some(format!("sha256={signature}").as_str()));
    let unsigned = sent(ChannelKind::Generic, None, PageLanguage::English);
    assert_eq!(header(&unsigned, "x-hub-signature-256"), None);
}

/// RFC 4231, test case 2.
#[test]
fn the_hmac_is_that_of_the_standard() {
    let known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(hex::encode(hmac_sha256(b"Jefe", b"what do ya want for nothing?")), known);
}

fn answered(kind: ChannelKind, status: u16, body: &str) -> Result<String, ErrorCode> {
    let answer = ChannelAnswer { status, retry_after: None, body: body.to_owned() };
    kind.taken(&answer, &[]).map_err(|failure| failure.code)
}

#[test]
fn an_answer_counts_as_the_product_means_it() {
    use ChannelKind::{Dingtalk, Feishu, Generic, Ntfy, Slack, Wecom};
    use ErrorCode::{ChannelBusy, ChannelRefused, ChannelUnreachable};
    let table = [
        (Slack, 200, "ok", Ok("ok")),
        (Slack, 404, "no_service", Err(ChannelRefused)),
        (Slack, 429, "rate_limited", Err(ChannelBusy)),
        (Ntfy, 200, r#"{"id":"x"}"#, Ok(r#"{"id":"x"}"#)),
        (Ntfy, 403, "forbidden", Err(ChannelRefused)),
        (Generic, 204, "", Ok("")),
        (Generic, 302, "", Err(ChannelRefused)),
        (Generic, 503, "", Err(ChannelUnreachable)),
        (Wecom, 200, r#"{"errcode":0,"errmsg":"ok"}"#, Ok(r#"{"errcode":0,"errmsg":"ok"}"#)),
        (Wecom, 200, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, Err(ChannelRefused)),
        (Wecom, 200, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, Err(ChannelBusy)),
        (Wecom, 200, "<html>", Err(ChannelRefused)),
        (Dingtalk, 200, r#"{"errcode":310000,"errmsg":"sign not match"}"#, Err(ChannelRefused)),
        (Dingtalk, 200, r#"{"errcode":130101,"errmsg":"send too fast"}"#, Err(ChannelBusy)),
        (Feishu, 200, r#"{"code":0,"msg":"success"}"#, Ok(r#"{"code":0,"msg":"success"}"#)),
        (Feishu, 200, r#"{"StatusCode":0}"#, Ok(r#"{"StatusCode":0}"#)),
        (Feishu, 200, r#"{"code":19021,"msg":"sign match fail"}"#, Err(ChannelRefused)),
        (Feishu, 200, r#"{"code":11232,"msg":"frequency limited"}"#, Err(ChannelBusy)),
    ];
    for (kind, status, body, expected) in table {
        assert_eq!(answered(kind, status, body), expected.map(str::to_owned), "{kind:?} {status} {body}");
    }
}

#[test]
fn t10_what_an_answer_repeats_of_the_address_is_masked() {
    let address = Secret::new("https://hooks.example/services/T0001/B0002/abcdefghijkl?key=0123456789abcdef");
    let secrets = masked_parts(&address, Some(&Secret::new("SECRET-1")));
    let body = "POST /services/T0001/B0002/abcdefghijkl?key=0123456789abcdef SECRET-1 ok";
    let answer = ChannelAnswer { status: 400, retry_after: Some("3".to_owned()), body: body.to_owned() };
    let failure = ChannelKind::Slack.taken(&answer, &secrets).unwrap_err();
    let words = format!("{failure:?}");
    assert_eq!(failure.details["retry_after"], "3");
    for secret in ["abcdefghijkl", "0123456789abcdef", "SECRET-1"] {
        assert!(!words.contains(secret), "{words}");
    }
}

#[test]
fn only_addresses_that_keep_the_key_are_taken() {
    let check = |kind, text: &str, private| {
        check_address(kind, &Secret::new(text), private).map_err(|failure| {
            assert!(!failure.message.contains("key"), "{}", failure.message.contains("0123"));
            failure.field.unwrap_or_default()
        })
    };
    let bad = || Err("address".to_owned());
    assert_eq!(
        check(ChannelKind::Slack, " https://hooks.slack.com/services/T/B/x ", false),
        Ok("hooks.slack.com".to_owned())
    );
    assert_eq!(check(ChannelKind::Generic, "http://10.0.0.1:8080/x", true), Ok("10.0.0.1:8080".to_owned()));
    for text in ["http://public.example/x", "ftp://a.example/", "https://ann:pw@a.example/", "a.example", ""] {
        assert!(check_address(ChannelKind::Generic, &Secret::new(text), false).is_err_and(|f| f.field == bad().err()));
    }
    assert_eq!(check(ChannelKind::Ntfy, "https://ntfy.sh/", false), bad());
    assert_eq!(check(ChannelKind::Ntfy, "https://ntfy.sh/builds", false), Ok("ntfy.sh".to_owned()));
    let same = |one: &str, other: &str| is_same_origin(&Secret::new(one), &Secret::new(other));
    assert!(same("https://ntfy.sh/a", "https://ntfy.sh:443/b"));
    assert!(!same("https://ntfy.sh/a", "http://ntfy.sh/a") && !same("https://ntfy.sh/a", "https://ntfy.sh:8443/a"));
}

#[test]
fn every_notice_that_asks_for_a_person_has_words_in_both_languages() {
    let message = ChannelMessage::of_notice(&NoticeFacts::DatabaseDamaged, now()).unwrap();
    assert_eq!(message.events, [ChannelEvent::Attention]);
    let words = |language| Words::of(&message, language).title;
    assert_eq!(words(PageLanguage::English), "Slipway · The database is damaged");
    assert_eq!(words(PageLanguage::Chinese), "Slipway · 数据库已损坏");
    let away = NoticeFacts::Away { from: now(), to: now(), caught_up: 1 };
    assert_eq!(ChannelMessage::of_notice(&away, now()), None);
}
