//! The pages that the browser ends on: plain, self-contained, in the console's language, saying what to do next.

use slipway_core::host::PageLanguage;

/// How an authorization ended, as the browser shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The account is there; what is left is done in Slipway.
    Connected,
    /// The GitHub App is there; it has to be installed next.
    AppMade,
    /// The person said no.
    Denied,
    /// The host or the exchange refused.
    Failed,
    /// Too late, cancelled, or a second visit.
    Over,
    /// The answer belongs to no authorization that was begun here.
    Strange,
}

/// A form that hands a manifest to GitHub when its button is pressed: nothing is sent without a person.
#[derive(Debug, Clone)]
pub(crate) struct ManifestForm {
    /// Where it goes.
    pub(crate) action: String,
    /// Origin of `action`, for the page's policy.
    pub(crate) origin: String,
    /// The manifest as JSON.
    pub(crate) manifest: String,
}

/// The pages of one authorization.
#[derive(Debug, Clone)]
pub(crate) struct Pages {
    pub(crate) language: PageLanguage,
    /// The host's name for people.
    pub(crate) host: String,
    /// What `/start` shows, when there is something to start with.
    pub(crate) form: Option<ManifestForm>,
}

impl Pages {
    /// Returns the Content-Security-Policy: no script, no request, a form only to the host.
    pub(crate) fn policy(&self) -> String {
        let form = self.form.as_ref().map_or("'none'", |form| form.origin.as_str());
        format!(
            "default-src 'none'; style-src 'unsafe-inline'; form-action {form}; frame-ancestors 'none'; base-uri 'none'"
        )
    }

    /// Returns the page that ends an authorization.
    pub(crate) fn end(&self, outcome: &Outcome) -> String {
        let host = &self.host;
        let (title, text) = match (self.language, outcome) {
            (PageLanguage::English, Outcome::Connected) => (
                format!("Slipway is connected to {host}"),
                "Close this page and go back to Slipway: it goes on by itself.".to_owned(),
            ),
            (PageLanguage::English, Outcome::AppMade) => (
                format!("The app was made at {host}"),
                "Close this page and go back to Slipway: the next step is to install the app on the repositories that \
                 Slipway may read."
                    .to_owned(),
            ),
            (PageLanguage::English, Outcome::Denied) => (
                "Nothing was authorized".to_owned(),
                format!("You said no at {host}. Close this page; to connect after all, start again in Slipway."),
            ),
            (PageLanguage::English, Outcome::Failed) => (
                "The authorization did not succeed".to_owned(),
                "Slipway shows the reason and what to do about it. Close this page and go back to Slipway.".to_owned(),
            ),
            (PageLanguage::English, Outcome::Over) => (
                "This authorization is over".to_owned(),
                "It was finished, cancelled, or took too long. Go back to Slipway; if the account is not connected, start \
                 again there."
                    .to_owned(),
            ),
            (PageLanguage::English, Outcome::Strange) => (
                "This answer belongs to no authorization".to_owned(),
                "It was not begun by this Slipway, so nothing was done. Start the authorization in Slipway.".to_owned(),
            ),
            (PageLanguage::Chinese, Outcome::Connected) => {
                (format!("Slipway 已连接 {host}"), "请关闭此页面并返回 Slipway，后续步骤会自动继续。".to_owned())
            }
            (PageLanguage::Chinese, Outcome::AppMade) => (
                format!("已在 {host} 创建应用"),
                "请关闭此页面并返回 Slipway。下一步：将该应用安装到允许 Slipway 读取的仓库。".to_owned(),
            ),
            (PageLanguage::Chinese, Outcome::Denied) => {
                ("未授权".to_owned(), format!("您在 {host} 拒绝了授权。请关闭此页面；如需连接，请在 Slipway 中重新开始。"))
            }
            (PageLanguage::Chinese, Outcome::Failed) => {
                ("授权未成功".to_owned(), "Slipway 会显示原因和处理办法。请关闭此页面并返回 Slipway。".to_owned())
            }
            (PageLanguage::Chinese, Outcome::Over) => (
                "此次授权已结束".to_owned(),
                "授权已完成、已取消或已超时。请返回 Slipway；若帐号尚未连接，请在那里重新开始。".to_owned(),
            ),
            (PageLanguage::Chinese, Outcome::Strange) => {
                ("此结果不属于任何授权".to_owned(), "它不是由本机的 Slipway 发起的，未作任何处理。请在 Slipway 中开始授权。".to_owned())
            }
        };
        self.page(&title, &format!("<p>{}</p>", escape(&text)))
    }

    /// Returns the page that begins with a form, when there is one.
    pub(crate) fn start(&self) -> Option<String> {
        let form = self.form.as_ref()?;
        let (title, text, button) = match self.language {
            PageLanguage::English => (
                format!("Make a GitHub App at {}", self.host),
                "The app belongs to you. It may read code and metadata and write commit statuses, and only on repositories \
                 that you choose in the next step.",
                "Continue at GitHub",
            ),
            PageLanguage::Chinese => (
                format!("在 {} 创建 GitHub App", self.host),
                "该应用归您所有，只能读取代码和元数据、写入提交状态，并且仅限您在下一步选择的仓库。",
                "前往 GitHub 继续",
            ),
        };
        let body = format!(
            "<p>{}</p><form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"manifest\" value=\"{}\">\
             <button type=\"submit\">{}</button></form>",
            escape(text),
            escape(&form.action),
            escape(&form.manifest),
            escape(button),
        );
        Some(self.page(&title, &body))
    }

    fn page(&self, title: &str, body: &str) -> String {
        let language = match self.language {
            PageLanguage::English => "en",
            PageLanguage::Chinese => "zh-CN",
        };
        let title = escape(title);
        format!(
            "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\
             <body><main><h1>{title}</h1>{body}</main></body></html>\n"
        )
    }
}

const STYLE: &str = ":root{color-scheme:light dark}body{font:16px/1.6 system-ui,sans-serif;margin:0;display:grid;\
min-height:100vh;place-items:center}main{max-width:32rem;padding:2rem}h1{font-size:1.4rem}\
button{font:inherit;padding:.5rem 1.2rem;cursor:pointer}";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_self_contained_and_speak_both_languages() {
        let outcomes =
            [Outcome::Connected, Outcome::AppMade, Outcome::Denied, Outcome::Failed, Outcome::Over, Outcome::Strange];
        for (language, tag) in [(PageLanguage::English, "lang=\"en\""), (PageLanguage::Chinese, "lang=\"zh-CN\"")] {
            for outcome in outcomes {
                let pages = Pages { language, host: "<img src=x>".to_owned(), form: None };
                let page = pages.end(&outcome);
                assert!(page.contains(tag) && page.contains("Slipway"), "{outcome:?}");
                for foreign in ["<script", "<img", "src=\"", "href=", "http"] {
                    assert!(!page.contains(foreign), "{outcome:?} holds {foreign}");
                }
            }
        }
    }

    #[test]
    fn a_manifest_cannot_leave_its_attribute() {
        let form = ManifestForm {
            action: "https://github.com/settings/apps/new?state=a&b".to_owned(),
            origin: "https://github.com".to_owned(),
            manifest: "{\"name\":\"a'\\\"><script>\"}".to_owned(),
        };
        let pages = Pages { language: PageLanguage::English, host: "github.com".to_owned(), form: Some(form) };
        let page = pages.start().unwrap_or_default();
        assert!(page.contains("state=a&amp;b") && !page.contains("<script>"));
        assert!(pages.policy().contains("form-action https://github.com;"));
    }
}
