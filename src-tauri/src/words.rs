//! The few texts that stand outside the console: tray, notifications, dialogs. The console says which language the person
//! reads; until it did, the environment decides.

use slipway_api::ErrorCode;

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

impl Language {
    /// Reads the console's name of a language.
    pub(crate) fn named(name: &str) -> Self {
        if name.starts_with("zh") { Self::Chinese } else { Self::English }
    }

    /// Returns the language of the session, by the order that POSIX gives its variables.
    pub(crate) fn of_session(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        Self::named(&set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG")).unwrap_or_default())
    }

    const fn pick(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }

    pub(crate) const fn open(self) -> &'static str {
        self.pick("Open Slipway", "打开 Slipway")
    }

    pub(crate) const fn quit(self) -> &'static str {
        self.pick("Quit", "退出")
    }

    /// Returns how many builds run and wait.
    pub(crate) fn builds(self, running: u64, waiting: u64) -> String {
        match (self, running, waiting) {
            (Self::English, 0, 0) => "No build is running".to_owned(),
            (Self::English, 1, 0) => "1 build is running".to_owned(),
            (Self::English, _, 0) => format!("{running} builds are running"),
            (Self::English, ..) => format!("{running} running, {waiting} waiting"),
            (Self::Chinese, 0, 0) => "没有正在运行的构建".to_owned(),
            (Self::Chinese, _, 0) => format!("{running} 个构建正在运行"),
            (Self::Chinese, ..) => format!("{running} 个构建正在运行，{waiting} 个等待中"),
        }
    }

    /// Returns how many failures nobody has looked at.
    pub(crate) fn failures(self, count: usize) -> String {
        match (self, count) {
            (Self::English, 0) => "No unread failures".to_owned(),
            (Self::English, 1) => "1 unread failure".to_owned(),
            (Self::English, _) => format!("{count} unread failures"),
            (Self::Chinese, 0) => "没有未读的失败通知".to_owned(),
            (Self::Chinese, _) => format!("{count} 条未读的失败通知"),
        }
    }

    pub(crate) const fn awake(self) -> &'static str {
        self.pick("A build is running", "构建正在运行")
    }

    pub(crate) const fn still_watching(self) -> (&'static str, &'static str) {
        (
            self.pick("Slipway keeps watching", "Slipway 仍在后台运行"),
            self.pick(
                "It stays in the tray and builds when code is pushed. Settings can change that; Quit in the tray's menu ends it.",
                "它会留在系统托盘中，代码推送后继续构建。可以在设置中更改；托盘菜单中的“退出”会结束它。",
            ),
        )
    }

    pub(crate) const fn cannot_start(self) -> &'static str {
        self.pick("Slipway cannot start", "Slipway 无法启动")
    }

    /// Returns what a person does about a start that was refused; `None` where the reason alone has to do.
    pub(crate) const fn next_step(self, code: ErrorCode) -> Option<&'static str> {
        let words = match code {
            ErrorCode::DatabaseNewer => self.pick(
                "The data was written by a newer Slipway and was left untouched. Start the newer one, or install it again.",
                "数据由较新版本的 Slipway 写入，未作任何改动。请启动较新的版本，或重新安装它。",
            ),
            ErrorCode::DiskFull => self.pick(
                "The disk of the data folder is full. Make room and start Slipway again; nothing is lost.",
                "数据目录所在磁盘已满。请清理空间后重新启动 Slipway，不会丢失任何内容。",
            ),
            ErrorCode::DataReadOnly => self.pick(
                "The data folder cannot be written. Correct its rights and start Slipway again.",
                "数据目录不可写。请修正其权限后重新启动 Slipway。",
            ),
            ErrorCode::AlreadyRunning => self.pick(
                "Another Slipway, without a window, uses this data folder. End it first.",
                "另一个没有窗口的 Slipway 正在使用此数据目录。请先结束它。",
            ),
            _ => return None,
        };
        Some(words)
    }

    pub(crate) const fn show(self) -> &'static str {
        self.pick("Show", "查看")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_chooses_the_first_language() {
        let table: [(&[(&str, &str)], Language); 5] = [
            (&[], Language::English),
            (&[("LANG", "zh_CN.UTF-8")], Language::Chinese),
            (&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "")], Language::Chinese),
            (&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")], Language::English),
            (&[("LANG", "de_DE"), ("LC_MESSAGES", "zh_TW")], Language::Chinese),
        ];
        for (variables, expected) in table {
            let variable = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, to)| (*to).to_owned());
            assert_eq!(Language::of_session(variable), expected, "{variables:?}");
        }
    }

    #[test]
    fn f18_a_refused_start_says_what_to_do() {
        for language in [Language::English, Language::Chinese] {
            assert!(language.next_step(ErrorCode::DatabaseNewer).is_some_and(|words| words.contains("Slipway")));
            assert_eq!(language.next_step(ErrorCode::Internal), None);
        }
    }

    #[test]
    fn counts_are_words() {
        assert_eq!(Language::English.builds(0, 0), "No build is running");
        assert_eq!(Language::English.builds(1, 0), "1 build is running");
        assert_eq!(Language::English.builds(2, 3), "2 running, 3 waiting");
        assert_eq!(Language::Chinese.builds(2, 3), "2 个构建正在运行，3 个等待中");
    }
}
