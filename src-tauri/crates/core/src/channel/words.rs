//! The sentences of a message, in the application's language. Foreign words in them are one cleaned line each (T07, T08);
//! each kind escapes them for its own markup.

use super::{ChannelMessage, MessageFacts};
use crate::build::BuildState;
use crate::control::one_line;
use crate::failure::{ErrorClass, ErrorCode};
use crate::host::PageLanguage;
use crate::notice::{NoticeFacts, NoticedBuild, NoticedUpdate};
use crate::trigger::FiringState;

/// Characters of one foreign name or title.
const LONGEST: usize = 160;
/// Images that are named; builds publish a handful of tags at most.
const IMAGES_NAMED: usize = 5;
/// Characters of a commit's id that people know it by.
const SHORT_ID: usize = 7;

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One line. It begins with the product's name: some robots take only messages with a word that is agreed on.
    pub title: String,
    /// More lines, most telling first.
    pub lines: Vec<String>,
}

/// Foreign text as it may be shown.
pub(super) fn foreign(text: &str) -> String {
    one_line(text, LONGEST)
}

impl Words {
    /// Makes the sentences about a message.
    #[must_use]
    pub fn of(message: &ChannelMessage, language: PageLanguage) -> Self {
        let speech = Speech { chinese: language == PageLanguage::Chinese };
        let (what, about, lines) = match &message.facts {
            MessageFacts::Build { build, state, recovered, code, commit, images } => {
                let what = match state {
                    BuildState::Failed => speech.pick("Build failed", "构建失败"),
                    _ if *recovered => speech.pick("Builds again", "构建已恢复"),
                    _ => speech.pick("Build succeeded", "构建成功"),
                };
                let mut lines = speech.of_build(build);
                if let Some(commit) = commit {
                    let id: String = commit.id.as_str().chars().take(SHORT_ID).collect();
                    lines.push(speech.line("Commit", "提交", &format!("{id} {}", foreign(&commit.title))));
                }
                lines.extend(speech.of_code(*code));
                for image in images.iter().take(IMAGES_NAMED) {
                    lines.push(speech.line("Image", "镜像", image));
                }
                (what, format!("{} #{}", foreign(&build.repository_name), build.number.0), lines)
            }
            MessageFacts::Update { update, state, recovered, by_person, code } => {
                let what = match state {
                    FiringState::RolledBack => speech.pick("Update rolled back", "更新已回滚"),
                    FiringState::Broken => speech.pick("Update broken, look at it", "更新异常，请检查"),
                    FiringState::Failed => speech.pick("Update failed", "更新失败"),
                    _ if *by_person => speech.pick("Rolled back", "已回滚"),
                    _ if *recovered => speech.pick("Updated again", "更新已恢复"),
                    _ => speech.pick("Updated", "更新成功"),
                };
                let mut lines = speech.of_update(update);
                lines.extend(speech.of_code(*code));
                (what, foreign(&update.target_name), lines)
            }
            MessageFacts::Attention { notice } => speech.of_notice(notice),
            MessageFacts::Test => (
                speech.pick("Test message", "测试消息"),
                String::new(),
                vec![speech.pick("This channel works.", "此通知渠道可用。").to_owned()],
            ),
        };
        let said = if about.is_empty() { what.to_owned() } else { speech.line_of(what, &about) };
        Self { title: format!("Slipway · {said}"), lines }
    }
}

#[derive(Clone, Copy)]
struct Speech {
    chinese: bool,
}

impl Speech {
    const fn pick(self, english: &'static str, chinese: &'static str) -> &'static str {
        if self.chinese { chinese } else { english }
    }

    fn line(self, english: &'static str, chinese: &'static str, what: &str) -> String {
        self.line_of(self.pick(english, chinese), what)
    }

    fn line_of(self, label: &str, what: &str) -> String {
        if self.chinese { format!("{label}：{what}") } else { format!("{label}: {what}") }
    }

    fn of_build(self, build: &NoticedBuild) -> Vec<String> {
        let rule = build.rule_name.as_ref().map(|rule| self.line("Rule", "构建规则", &foreign(rule)));
        let name = build.ref_name.as_ref().map(|name| self.line("Branch or tag", "分支或标签", &foreign(name.short())));
        rule.into_iter().chain(name).collect()
    }

    fn of_update(self, update: &NoticedUpdate) -> Vec<String> {
        let version = self.line("Version", "版本", &foreign(&update.version));
        let trigger = update.trigger_name.as_ref().map(|name| self.line("Trigger", "触发器", &foreign(name)));
        std::iter::once(version).chain(trigger).collect()
    }

    fn of_code(self, code: Option<ErrorCode>) -> Option<String> {
        let code = code?;
        Some(self.line("Reason", "原因", &format!("{} ({})", self.class(code.class()), code.as_str())))
    }

    const fn class(self, class: ErrorClass) -> &'static str {
        match class {
            ErrorClass::CodeSource => self.pick("code source", "代码源"),
            ErrorClass::Dockerfile => self.pick("Dockerfile", "Dockerfile"),
            ErrorClass::BaseImage => self.pick("base image", "基础镜像"),
            ErrorClass::Engine => self.pick("Docker engine", "Docker 引擎"),
            ErrorClass::Registry => self.pick("registry", "镜像仓库服务"),
            ErrorClass::Target => self.pick("deploy target", "部署目标"),
            ErrorClass::Disk => self.pick("disk", "磁盘"),
            ErrorClass::Network => self.pick("network", "网络"),
            ErrorClass::Keychain => self.pick("keychain", "钥匙串"),
            ErrorClass::Cancelled => self.pick("cancelled", "已取消"),
            ErrorClass::Timeout => self.pick("time limit", "超时"),
            ErrorClass::Input => self.pick("settings", "配置"),
            ErrorClass::Internal => self.pick("Slipway itself", "Slipway 自身"),
        }
    }

    fn of_notice(self, notice: &NoticeFacts) -> (&'static str, String, Vec<String>) {
        let next = |english, chinese| vec![self.pick(english, chinese).to_owned()];
        match notice {
            NoticeFacts::AccountPaused { account, .. } => (
                self.pick("Account paused", "账号已暂停"),
                format!("{} · {}", foreign(&account.login), foreign(&account.host)),
                next("Its rules wait until somebody reconnects it.", "重新连接后，其规则会继续。"),
            ),
            NoticeFacts::AccountResumed { account } => (
                self.pick("Account connected again", "账号已重新连接"),
                format!("{} · {}", foreign(&account.login), foreign(&account.host)),
                next("Its rules go on.", "其规则继续运行。"),
            ),
            NoticeFacts::CodeUnreachable { name, code, .. } => (
                self.pick("Code cannot be reached", "无法访问代码仓库"),
                foreign(name),
                self.of_code(Some(*code)).into_iter().collect(),
            ),
            NoticeFacts::CodeReachable { name, .. } => {
                (self.pick("Code can be reached again", "代码仓库已恢复"), foreign(name), Vec::new())
            }
            NoticeFacts::CredentialRefused { registry_name, credential_name, code, .. } => {
                let mut lines = vec![self.line("Credential", "凭据", &foreign(credential_name))];
                lines.extend(self.of_code(Some(*code)));
                (self.pick("Login refused", "登录被拒绝"), foreign(registry_name), lines)
            }
            NoticeFacts::DatabaseDamaged => (
                self.pick("The database is damaged", "数据库已损坏"),
                String::new(),
                next("The next start puts it right from the newest backup.", "下次启动时将从最新备份恢复。"),
            ),
            NoticeFacts::DatabaseRecovered { .. } => (
                self.pick("The database was damaged and was put right", "数据库曾损坏，现已恢复"),
                String::new(),
                next("What happened since the newest backup may be missing.", "最新备份之后的记录可能缺失。"),
            ),
            NoticeFacts::RetentionFailed { repository_name, code, .. } => (
                self.pick("Old versions could not be removed", "旧版本清理失败"),
                foreign(repository_name),
                self.of_code(Some(*code)).into_iter().collect(),
            ),
            // These have messages of their own, or none.
            NoticeFacts::BuildFailed { .. }
            | NoticeFacts::BuildRecovered { .. }
            | NoticeFacts::UpdateFailed { .. }
            | NoticeFacts::UpdateRecovered { .. }
            | NoticeFacts::Away { .. } => (self.pick("Look at Slipway", "请查看 Slipway"), String::new(), Vec::new()),
        }
    }
}
