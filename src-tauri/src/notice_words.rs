//! What a notification says about a notice of the inbox.

use crate::words::Language;
use slipway_api::{FiringState, NoticeFacts};

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
        NoticeFacts::UpdateFailed { update, state, .. } => (
            match state {
                FiringState::RolledBack => titled("Update rolled back", "更新已回滚", &update.target_name),
                FiringState::Broken => titled("Update broken, look at it", "更新异常，请检查", &update.target_name),
                _ => titled("Update failed", "更新失败", &update.target_name),
            },
            about_update(update),
        ),
        NoticeFacts::UpdateRecovered { update } => {
            (titled("Updated again", "更新已恢复", &update.target_name), about_update(update))
        }
        NoticeFacts::AccountPaused { account, .. } => (
            titled("Account paused", "账号已暂停", &format!("{} · {}", account.login, account.host)),
            pick("Its rules wait until you reconnect it.", "重新连接后，其规则会继续。"),
        ),
        NoticeFacts::AccountResumed { account } => (
            titled("Account connected again", "账号已重新连接", &format!("{} · {}", account.login, account.host)),
            pick("Its rules go on.", "其规则继续运行。"),
        ),
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
        NoticeFacts::RetentionFailed { repository_name, .. } => (
            titled("Old versions were not removed", "旧版本未能清理", repository_name),
            pick("The versions page says why.", "原因见镜像版本页面。"),
        ),
        NoticeFacts::DatabaseDamaged => (
            pick("The database is damaged", "数据库已损坏"),
            pick(
                "Quit Slipway and start it again: it is put right from the newest backup.",
                "请退出并重新启动 Slipway，将从最新备份恢复。",
            ),
        ),
        // Both are told by the page that a start begins with.
        NoticeFacts::DatabaseRecovered { .. } | NoticeFacts::Away { .. } => return None,
    })
}

fn about_update(update: &slipway_api::NoticedUpdate) -> String {
    let trigger = update.trigger_name.clone().unwrap_or_default();
    [update.version.clone(), trigger].iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" · ")
}

fn about(build: &slipway_api::NoticedBuild) -> String {
    let rule = build.rule_name.clone().unwrap_or_default();
    let name = build.ref_name.as_ref().map(|name| name.short().to_owned()).unwrap_or_default();
    [rule, name].iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" · ")
}
