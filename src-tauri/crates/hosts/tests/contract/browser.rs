//! A small browser: follows redirects, keeps cookies, fills in the first form of a page.

use reqwest::{Client, Response, Url};
use std::collections::BTreeMap;

pub(crate) struct Browser {
    client: Client,
    cookies: BTreeMap<String, String>,
}

/// A page that was reached.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { client, cookies: BTreeMap::new() }
    }

    pub(crate) async fn open(&mut self, address: &str) -> Page {
        let url = Url::parse(address).unwrap();
        let response = self.client.get(url.clone()).header("cookie", self.cookie()).send().await.unwrap();
        self.arrive(url, response).await
    }

    /// Presses the button of the first form, with some fields filled in.
    pub(crate) async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let form = page.text.split("<form").nth(1).unwrap_or_else(|| panic!("no form on {page:?}"));
        let form = form.split("</form>").next().unwrap();
        let url = page.url.join(&attribute(form, "action").unwrap()).unwrap();
        let mut sent: BTreeMap<String, String> = form
            .split("<input")
            .skip(1)
            .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default())))
            .collect();
        sent.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(sent).finish();
        let request =
            self.client.post(url.clone()).header("content-type", "application/x-www-form-urlencoded").body(body);
        let response = request.header("cookie", self.cookie()).send().await.unwrap();
        self.arrive(url, response).await
    }

    async fn arrive(&mut self, mut url: Url, mut response: Response) -> Page {
        loop {
            for cookie in response.headers().get_all("set-cookie") {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(location) = response.headers().get("location") else { break };
            url = url.join(location.to_str().unwrap()).unwrap();
            response = self.client.get(url.clone()).header("cookie", self.cookie()).send().await.unwrap();
        }
        let status = response.status().as_u16();
        Page { url, status, text: response.text().await.unwrap() }
    }

    fn cookie(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

fn attribute(element: &str, name: &str) -> Option<String> {
    let tag = element.split('>').next()?;
    let value = tag.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
    Some(
        value
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}
