//! WebDriver (<https://www.w3.org/TR/webdriver2/>), as much of it as these tests need. Things are found as a person finds
//! them: by what they are and what they are called, in the dialog that is open or on the page.

use serde_json::{Value, json};
use slipway_testkit::eventually;
use std::time::Duration;

/// How long the window may take for one step.
pub(crate) const STEP: Duration = Duration::from_secs(30);
/// How long a build or an update may take on a busy machine.
const WORK: Duration = Duration::from_secs(180);
/// The protocol's keys.
const BACKSPACE: char = '\u{e003}';
const END: char = '\u{e010}';
const ESCAPE: char = '\u{e00c}';
/// The key under which the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Finds what can be seen, and used, of a kind (a CSS selector) whose name or text is, or holds, a text; with a row's texts,
/// only inside the first row that holds all of them.
const FIND: &str = r#"
const [selector, text, exact, whole, row] = arguments;
const dialogs = [...document.querySelectorAll('[role="dialog"]')].filter((one) => one.getClientRects().length > 0);
const place = whole || dialogs.length === 0 ? document : dialogs[dialogs.length - 1];
const holds = (one) => one.getClientRects().length > 0 && row.every((part) => one.textContent.includes(part));
const root = row ? [...place.querySelectorAll("tr")].find(holds) : place;
if (!root) return null;
const plain = (one) => (one ?? "").replace(/\s+/g, " ").replace(/ ?\*$/, "").trim();
const nameOf = (element) => {
  const by = element.getAttribute("aria-labelledby");
  return plain(
    element.getAttribute("aria-label") ??
      (by && by.split(" ").map((id) => document.getElementById(id)?.textContent).join(" ")) ??
      (element.labels?.length ? element.labels[0].textContent : element.textContent),
  );
};
return (
  [...root.querySelectorAll(selector)].find((element) => {
    if (element.getClientRects().length === 0 || element.disabled) return false;
    const names = [nameOf(element), plain(element.textContent)];
    return names.some((name) => (exact ? name === text : name.includes(text)));
  }) ?? null
);
"#;

/// Waits until a thing stands where it stood two pictures ago, and from then on notes what the next click reaches.
const BEFORE_CLICK: &str = r#"
const [element, done] = arguments;
element.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
const place = () => JSON.stringify(element.getBoundingClientRect());
const first = place();
// A window that is not shown draws nothing.
const next = (then) => { let once = () => { once = () => {}; then(); }; requestAnimationFrame(() => once()); setTimeout(() => once(), 100); };
next(() => next(() => {
  window.clickReached = null;
  const note = (event) => { window.clickReached = element.contains(event.target); };
  document.addEventListener("click", note, { capture: true, once: true });
  done(place() === first);
}));
"#;

/// Whether the click reached its thing; a page that was loaded anew meanwhile knows nothing of it.
const AFTER_CLICK: &str = r#"
const [done] = arguments;
const deadline = performance.now() + 2000;
const look = () => {
  if (window.clickReached !== null || performance.now() > deadline) done(window.clickReached !== false && window.clickReached !== null);
  else setTimeout(look, 10);
};
look();
"#;

/// What a person reads in the open dialog, or on the page, and what stands in its fields.
const SHOWN: &str = r#"
const place = [...document.querySelectorAll('[role="dialog"]')].pop() ?? document.querySelector("main") ?? document.body;
const fields = [...place.querySelectorAll("input, textarea")].map((one) => `[${one.value}]`).join(" ");
return `${place.innerText.replace(/\s+/g, " ").slice(0, 1500)} ${fields}`;
"#;

/// A session with the window.
#[derive(Debug)]
pub(crate) struct Session {
    client: reqwest::Client,
    base: String,
    words: Value,
}

/// A thing of the page.
#[derive(Debug, Clone)]
pub(crate) struct Element(String);

impl Session {
    /// Starts the program through the driver and opens a session with its window.
    pub(crate) async fn open(driver: &str, program: &str, arguments: &[&str]) -> Self {
        let client = reqwest::Client::new();
        let wanted = json!({ "webkitgtk:browserOptions": { "binary": program, "args": arguments } });
        let body = json!({ "capabilities": { "alwaysMatch": wanted } });
        let answer = eventually("the driver opens a session", Duration::from_secs(60), async || {
            send(client.post(format!("{driver}/session")).json(&body)).await
        })
        .await;
        let id = answer["sessionId"].as_str().unwrap().to_owned();
        let words = include_str!("../../ui/src/i18n/en.json");
        Self { client, base: format!("{driver}/session/{id}"), words: serde_json::from_str(words).unwrap() }
    }

    /// Ends the session; the driver ends the program with it.
    pub(crate) async fn close(self) {
        send(self.client.delete(&self.base)).await.unwrap();
    }

    /// Returns a text of the console in English, by its key.
    pub(crate) fn words(&self, key: &str) -> &str {
        let found = key.split('.').fold(&self.words, |words, part| &words[part]);
        found.as_str().unwrap_or_else(|| panic!("the console has no text {key}"))
    }

    /// Returns a text of the console with what it says about something.
    pub(crate) fn words_with(&self, key: &str, name: &str, value: &str) -> String {
        self.words(key).replace(&format!("{{{{{name}}}}}"), value)
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        send(self.client.post(format!("{}{path}", self.base)).json(&body)).await
    }

    /// Runs a script's body in the page.
    pub(crate) async fn script(&self, script: &str, arguments: Value) -> Value {
        self.try_script(script, arguments).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    async fn try_script(&self, script: &str, arguments: Value) -> Result<Value, String> {
        self.post("/execute/sync", json!({ "script": script, "args": arguments })).await
    }

    /// Runs a script's body that gives a promise, and waits for it: `{ok}` or `{failed}`.
    pub(crate) async fn promise(&self, script: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1]; (async () => {{ {script} }})().then(\
             (ok) => done({{ ok: ok ?? null }}), (failed) => done({{ failed: failed?.code ?? String(failed) }}));"
        );
        self.post("/execute/async", json!({ "script": script, "args": [] })).await.unwrap()
    }

    async fn find(&self, selector: &str, text: &str, exact: bool, whole: bool) -> Element {
        let what = format!("{selector} with {text:?} can be seen");
        self.find_within(&what, STEP, json!([selector, text, exact, whole, null])).await
    }

    async fn find_within(&self, what: &str, deadline: Duration, arguments: Value) -> Element {
        eventually(what, deadline, async || {
            let found = self.try_script(FIND, arguments.clone()).await?;
            if let Some(id) = found[ELEMENT].as_str() {
                return Ok(Element(id.to_owned()));
            }
            Err(format!("nothing; what stands there: {}", self.try_script(SHOWN, json!([])).await?))
        })
        .await
    }

    /// Finds something by its name inside the row of a table that holds these texts; waits as long as a build or an update
    /// may take.
    pub(crate) async fn in_row(&self, row: &[&str], selector: &str, text: &str) -> Element {
        let what = format!("{selector} with {text:?} in the row with {row:?} can be seen");
        self.find_within(&what, WORK, json!([selector, text, false, true, row])).await
    }

    /// Waits until something that takes as long as a build or an update holds a text.
    pub(crate) async fn see_at_last(&self, selector: &str, text: &str) -> Element {
        let what = format!("{selector} with {text:?} can be seen at last");
        self.find_within(&what, WORK, json!([selector, text, false, true, null])).await
    }

    /// Finds something by its kind and the key of its name, in the open dialog or on the page.
    pub(crate) async fn named(&self, selector: &str, key: &str) -> Element {
        self.find(selector, self.words(key), true, false).await
    }

    /// Waits until something of a kind holds a text, anywhere.
    pub(crate) async fn see(&self, selector: &str, text: &str) -> Element {
        self.find(selector, text, false, true).await
    }

    /// Clicks as a person does: the driver scrolls there and refuses what is covered. It looks where a thing is and clicks
    /// there a little later; where something moved in between, because a list above it arrived, it clicks once more.
    pub(crate) async fn click(&self, find: impl AsyncFn() -> Element) {
        // It may take as long as a build until it is there; the step begins then.
        find().await;
        eventually("it can be clicked", STEP, async || {
            let Element(id) = find().await;
            let run = async |script: &str, arguments: Value| {
                self.post("/execute/async", json!({ "script": script, "args": arguments })).await
            };
            if run(BEFORE_CLICK, json!([{ ELEMENT: id }])).await? != json!(true) {
                return Err("it moves".to_owned());
            }
            self.post(&format!("/element/{id}/click"), json!({})).await?;
            if run(AFTER_CLICK, json!([])).await? != json!(true) {
                return Err("the click went elsewhere".to_owned());
            }
            Ok(())
        })
        .await;
    }

    /// Chooses an entry of a list, by the key of the list's label; once more where the list was filled anew under the pointer.
    pub(crate) async fn choose(&self, list: &str, entry: &str) {
        eventually(&format!("{entry} is chosen"), STEP, async || {
            let chosen = self.value_of(list).await;
            if chosen.contains(entry) {
                return Ok(());
            }
            let is_open =
                "return [...document.querySelectorAll('[role=option]')].some((one) => one.getClientRects().length > 0)";
            if self.try_script(is_open, json!([])).await? != json!(true) {
                self.click(async || self.named("input", list).await).await;
            }
            self.click(async || self.see("[role=option]", entry).await).await;
            Err(chosen)
        })
        .await;
    }

    /// Ticks a box or chooses a round button, by the label it begins with; once more where it still moved with the part that
    /// unfolds around it.
    pub(crate) async fn tick(&self, label: &str) {
        let is_ticked = "return [...document.querySelectorAll('[role=dialog] input:checked')]\
                         .some((box) => box.labels[0]?.textContent.startsWith(arguments[0]))";
        eventually(&format!("{label} is ticked"), STEP, async || {
            if self.try_script(is_ticked, json!([label])).await? == json!(true) {
                return Ok(());
            }
            self.click(async || self.see("[role=dialog] input:is([type=checkbox], [type=radio])", label).await).await;
            Err("not yet".to_owned())
        })
        .await;
    }

    /// Clicks a button by the key of its name.
    pub(crate) async fn press(&self, key: &str) {
        self.click(async || self.named("button", key).await).await;
    }

    /// Goes to a page by the navigation on the left.
    pub(crate) async fn visit(&self, key: &str) {
        self.click(async || self.named("nav a", key).await).await;
    }

    /// Types into a field by the key of its label. A field that is drawn anew, or still moves in with its dialog, takes no key;
    /// it is typed into once it does.
    pub(crate) async fn type_into(&self, key: &str, text: &str) {
        self.field(key).await;
        eventually(&format!("{key} can be typed into"), STEP, async || {
            let Element(id) = self.field(key).await;
            self.post(&format!("/element/{id}/value"), json!({ "text": text })).await
        })
        .await;
    }

    /// Types over what stands in a field.
    pub(crate) async fn type_over(&self, key: &str, text: &str) {
        let old = self.value_of(key).await.chars().count();
        let keys: String =
            std::iter::once(END).chain(std::iter::repeat_n(BACKSPACE, old)).chain(text.chars()).collect();
        self.type_into(key, &keys).await;
        assert_eq!(self.value_of(key).await, text, "what was typed over {key}");
    }

    /// Returns what stands in a field.
    pub(crate) async fn value_of(&self, key: &str) -> String {
        eventually(&format!("{key} can be read"), STEP, async || {
            let Element(id) = self.field(key).await;
            let value = self.try_script("return arguments[0].value", json!([{ ELEMENT: id }])).await?;
            value.as_str().map(str::to_owned).ok_or(value.to_string())
        })
        .await
    }

    async fn field(&self, key: &str) -> Element {
        self.named("input:not([type=radio], [type=checkbox]), textarea", key).await
    }

    async fn send(&self, Element(id): &Element, text: &str) {
        self.post(&format!("/element/{id}/value"), json!({ "text": text })).await.unwrap();
    }

    /// Gives a file to the dialog's element that takes one, as the dialog of the system does when a person chose it. The
    /// element itself is never seen: a button stands for it.
    pub(crate) async fn choose_file(&self, path: &std::path::Path) {
        let script = "return document.querySelector('[role=\"dialog\"] input[type=file]')";
        let found = self.script(script, json!([])).await;
        let id = found[ELEMENT].as_str().expect("the dialog takes a file");
        self.send(&Element(id.to_owned()), path.to_str().unwrap()).await;
    }

    /// Takes a picture of the window for whoever asked for pictures (`SLIPWAY_PICTURES` names their folder; `make shots`). It
    /// is as large as the window and not of one colour.
    pub(crate) async fn picture(&self, name: &str) {
        use base64::Engine as _;
        let Some(folder) = std::env::var_os("SLIPWAY_PICTURES").map(std::path::PathBuf::from) else { return };
        let taken = send(self.client.get(format!("{}/screenshot", self.base))).await.unwrap();
        let picture = base64::engine::general_purpose::STANDARD.decode(taken.as_str().unwrap()).unwrap();
        // A picture of one colour is a few hundred bytes long.
        assert!(picture.len() > 10_000, "{name} shows nothing: {} bytes", picture.len());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }

    /// Closes the open dialog by the key that a person uses for that.
    pub(crate) async fn escape(&self) {
        let found = self.script("return document.activeElement", json!([])).await;
        let id = found[ELEMENT].as_str().unwrap().to_owned();
        self.send(&Element(id), &ESCAPE.to_string()).await;
        self.dialog_gone().await;
    }

    /// Waits until no dialog is open.
    pub(crate) async fn dialog_gone(&self) {
        eventually("the dialog closes", STEP, async || {
            let open = self
                .try_script("return document.querySelector('[role=\"dialog\"]')?.innerText ?? null", json!([]))
                .await;
            if open == Ok(Value::Null) { Ok(()) } else { Err(open) }
        })
        .await;
    }

    /// Returns the address of the page inside the console.
    pub(crate) async fn address(&self) -> String {
        let address = self.script("return location.pathname + location.search", json!([])).await;
        address.as_str().unwrap().to_owned()
    }
}

async fn send(request: reqwest::RequestBuilder) -> Result<Value, String> {
    let response = request.timeout(Duration::from_secs(60)).send().await.map_err(|error| error.to_string())?;
    let succeeded = response.status().is_success();
    let mut body: Value = response.json().await.map_err(|error| error.to_string())?;
    let value = body["value"].take();
    if succeeded { Ok(value) } else { Err(value["message"].as_str().unwrap_or_default().to_owned()) }
}
