//! What a notification says about a notice of the inbox.

use crate::words::Language;
use slipway_api::NoticeFacts;

/// Returns title and text, or nothing for a notice that the console alone tells.
pub(crate) fn notice_words(language: Language, facts: &NoticeFacts) -> Option<(String, String)> {
    let english = language == Language::English;
    let pick = |in_english: &str, in_chinese: &str| if english { in_english } else { in_chinese }.to_owned();
    let titled = |in_english: &str, in_chinese: &str, what: &str| {
        if english { format!("{in_english}: {what}") } else { format!("{in_chinese}：{what}") }
    };
    Some(match facts {
        NoticeFacts::BuildFailed { build, .. } => (
            titled("Build failed", "构建失败", &format!("{} #{}", build.repository_name, build.number.0)),
            about(build),
        ),
        NoticeFacts::BuildRecovered { build } => (
            titled("Builds again", "构建已恢复", &format!("{} #{}", build.repository_name, build.number.0)),
            about(build),
        ),
        NoticeFacts::RulePaused { rule, .. } => {
            (titled("Rule paused", "规则已暂停", &rule.rule_name), rule.repository_name.clone())
        }
        NoticeFacts::RuleResumed { rule } => {
            (titled("Rule builds again", "规则已恢复", &rule.rule_name), rule.repository_name.clone())
        }
        NoticeFacts::CodeUnreachable { name, .. } => (
            titled("Code cannot be reached", "无法访问代码仓库", name),
            pick("Pushes are built when it is back.", "恢复后会构建期间的推送。"),
        ),
        NoticeFacts::CodeReachable { name, .. } => (
            titled("Code can be reached again", "代码仓库已恢复", name),
            pick("Pushes of that time are built now.", "正在构建期间的推送。"),
        ),
        NoticeFacts::CredentialRefused { registry_name, credential_name, .. } => {
            (titled("Login refused", "登录被拒绝", registry_name), credential_name.clone())
        }
        // Both are told by the page that a start begins with.
        NoticeFacts::DatabaseRecovered { .. } | NoticeFacts::Away { .. } => return None,
    })
}

fn about(build: &slipway_api::NoticedBuild) -> String {
    let rule = build.rule_name.clone().unwrap_or_default();
    let name = build.ref_name.as_ref().map(|name| name.short().to_owned()).unwrap_or_default();
    [rule, name].iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" · ")
}
