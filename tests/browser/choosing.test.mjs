/** The way from nothing to code by clicking: an application registered or made, an account authorized, code, branch and files chosen. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { marked } from "../hosts/canary.mjs";
import { addAccount, startCodeHost, TOKEN } from "./stand/code_host.mjs";
import { APPLICATION, startGithub } from "./stand/github.mjs";
import { addClone, addRepository } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile } from "./stand/surroundings.mjs";
import { closeBrowser, withWindow } from "./stand/window.mjs";

let product;
let host;
let github;
before(async () => {
  const many = Array.from({ length: 2000 }, (_, n) => `acme/service-${n}`);
  [host, github, product] = await Promise.all([startCodeHost(["ann/notes", "acme/web", ...many]), startGithub(), Product.start({ keychain: true })]);
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await host?.stop();
});

const dialog = (window) => window.dialog.last();
const select = (window, key) => dialog(window).getByRole("combobox", { name: window.t(key) });
const repository = (window, path) => dialog(window).getByRole("radio", { name: new RegExp(`^${path}(?![\\w-])`) });
const accounts = () => product.call("accounts.list");
const gitea = () => ({ provider: "gitea", base_url: host.base, allow_plain_http: true });
/** What ada does at GitHub that no page is clicked for. */
const tellGithub = (what, body) => fetch(`${github.url}/test/${what}`, { method: "POST", body: JSON.stringify(body) });
const forget = async () => {
  for (const { id } of await accounts()) await product.call("accounts.delete", { id });
  for (const { provider, base_url } of await product.call("accounts.applications")) {
    await product.call("accounts.delete_application", { provider, base_url, allow_plain_http: true });
  }
};

/** Types the address of a host of one's own, with the consent to plain HTTP. */
async function typeHost(window, name, base) {
  await window.choose(select(window, "accounts.provider"), window.t(`accounts.product_${name}`));
  await window.field("accounts.base_url", {}, dialog(window)).fill(base);
  const consent = dialog(window).getByRole("checkbox", { name: window.t("accounts.plain_http") });
  if (!(await consent.isVisible())) await window.button("common.more", {}, dialog(window)).click();
  await consent.check();
}

test("seed 3.5, K.4: inside the rule form an app is made at GitHub, installed and authorized by the browser's redirect, and the form is as it was left", async () => {
  await forget();
  const image = await addRepository(product, "choosing/app");
  await withWindow(product, { name: "choosing-app", path: `/repositories/${image}/build?dialog=new-rule` }, async (window) => {
    const editor = window.page.getByRole("dialog", { name: window.t("rules.new_title") });
    await window.field("common.name", {}, editor).fill("typed before");
    await window.field("rules.overwrite", {}, editor).fill("latest");
    await window.button("accounts.choose", {}, editor).click();
    await window.button("accounts.authorize_source", {}, dialog(window)).click();
    await typeHost(window, "github_enterprise", github.url);
    // The token comes first; the app is one step away.
    await window.see(window.field("accounts.token", {}, dialog(window)));
    await window.button("accounts.make_app", {}, dialog(window)).click();
    const made = await window.opens(() => window.button("accounts.make_app_submit", {}, dialog(window)).click());
    await window.see(window.text("accounts.waiting_app", {}, dialog(window)));
    assert.match(made.url(), /^http:\/\/127\.0\.0\.1:\d+\/start$/);
    await made.getByRole("button", { name: "Continue at GitHub" }).click();
    await made.getByRole("button", { name: "Create GitHub App for ada" }).click();
    await made.getByText("The app was made").waitFor();
    await made.close();
    const installing = await window.opens(() => window.button("accounts.install_app", {}, dialog(window)).click());
    await installing.getByRole("heading", { name: /Install slipway-/ }).waitFor();
    await installing.close();
    const consent = await window.opens(() => window.button("accounts.authorize_browser", {}, dialog(window)).click());
    await consent.getByRole("button", { name: /ada/ }).click();
    await consent.getByText("Slipway is connected to").waitFor();
    await window.see(window.heading("accounts.choose_title"));
    await repository(window, "ada/tool").check();
    assert.equal(await select(window, "accounts.branch").inputValue(), "main");
    await window.button("common.add", {}, dialog(window)).click();
    await window.gone(window.heading("accounts.choose_title"));
    assert.equal(await window.field("common.name", {}, editor).inputValue(), "typed before");
    assert.equal(await window.field("rules.overwrite", {}, editor).inputValue(), "latest");
    await window.see(editor.getByText("main", { exact: true }));
  });
  const [application] = await product.call("accounts.applications");
  assert.deepEqual([application.has_secret, application.install_page.includes("/github-apps/")], [true, true]);
  assert.equal((await accounts())[0].login, "ada");
});

test("an application is registered by hand in Settings, changed, used with a device's code, and forgotten with what goes on", { timeout: 120_000 }, async () => {
  await forget();
  await withWindow(product, { name: "choosing-application", path: "/settings" }, async (window) => {
    await window.button("accounts.app_add").click();
    await typeHost(window, "github_enterprise", github.url);
    // The exact page, what to fill in there, and where what it shows goes.
    await window.see(dialog(window).getByText("http://127.0.0.1/callback/github"));
    const page = await window.opens(() => window.button("accounts.register_page", {}, dialog(window)).click());
    await page.getByRole("heading", { name: "New OAuth application" }).waitFor();
    await page.close();
    await window.button("common.save", {}, dialog(window)).click();
    await window.see(dialog(window).locator('[aria-invalid="true"]'));
    await window.field("accounts.client_id", {}, dialog(window)).fill("typed wrong");
    await window.button("common.save", {}, dialog(window)).click();
    await window.see(dialog(window).getByText("a client id is one word").first());
    await window.field("accounts.client_id", {}, dialog(window)).fill(APPLICATION.client_id);
    await window.button("common.save", {}, dialog(window)).click();
    await window.dialogGone();
    const row = window.row(APPLICATION.client_id);
    await window.see(row.getByText(window.t("accounts.app_by_hand")));
    await window.see(row.getByText(window.t("accounts.secret_missing")));
    await window.pick(new URL(github.url).host, "common.edit");
    await window.field("accounts.client_secret", {}, dialog(window)).fill(APPLICATION.client_secret);
    await window.button("common.save", {}, dialog(window)).click();
    await window.dialogGone();
    await window.see(row.getByText(window.t("accounts.secret_stored")));

    await window.go("/sources?dialog=connect");
    await typeHost(window, "github_enterprise", github.url);
    const typing = await window.opens(() => window.button("accounts.authorize_device", {}, dialog(window)).click());
    await typing.close();
    const code = await (await window.see(dialog(window).getByText(/^[0-9A-F]{4}-[0-9A-F]{4}$/))).textContent();
    await tellGithub("approve", { user_code: code });
    await window.see(window.heading("accounts.choose_title"), 60_000);
    await window.see(repository(window, "ada/tool"));

    await window.go("/settings");
    await window.pick(new URL(github.url).host, "common.delete");
    await window.see(window.text("accounts.app_go_on", { names: "ada" }, dialog(window)));
    await window.button("common.delete", {}, dialog(window)).click();
    await window.dialogGone();
    await window.see(window.text("accounts.apps_empty"));
  });
  assert.deepEqual(await product.call("accounts.applications"), []);
  assert.equal((await accounts())[0].token_kind, "oauth");
});

test("an authorization that is refused, given up or answered late leaves a dialog that can be used again", async () => {
  await forget();
  await product.call("accounts.save_application", { host: gitea(), client_id: "slipway-of-ann" });
  await withWindow(product, { name: "choosing-no", path: "/sources?dialog=connect" }, async (window) => {
    await typeHost(window, "gitea", host.base);
    const authorize = window.button("accounts.authorize_browser", {}, dialog(window));
    host.answer("no");
    const refused = await window.opens(() => authorize.click());
    await refused.getByRole("heading", { name: "Nothing was authorized" }).waitFor();
    await refused.close();
    await window.see(window.text("failure.authorization_denied.what", {}, dialog(window)));
    await window.see(window.button("accounts.revoke_page", {}, dialog(window)));

    // The page is left open, closed, and opened again; then the person gives up here.
    host.answer("later");
    const left = await window.opens(() => authorize.click());
    await window.see(window.text("accounts.waiting_there", {}, dialog(window)));
    const { searchParams } = new URL(left.url());
    await left.close();
    const again = await window.opens(() => window.button("accounts.open_again", {}, dialog(window)).click());
    assert.equal(new URL(again.url()).searchParams.get("state"), searchParams.get("state"));
    await window.button("accounts.stop_waiting", {}, dialog(window)).click();
    await window.see(authorize);
    // Who says yes after that is told so, and nothing is connected.
    await again.goto(`${searchParams.get("redirect_uri")}?code=late&state=${searchParams.get("state")}`);
    await again.getByRole("heading", { name: "This authorization is over" }).waitFor();
    await again.close();
    assert.deepEqual(await accounts(), []);

    // Closing the dialog gives up too; the next one goes through.
    await (await window.opens(() => authorize.click())).close();
    await window.see(window.text("accounts.waiting_there", {}, dialog(window)));
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
    host.answer("yes");
    await window.button("accounts.connect").click();
    assert.equal(await window.field("accounts.base_url", {}, dialog(window)).inputValue(), host.base);
    await authorize.click();
    await window.see(window.heading("accounts.choose_title"));
  });
});

test("among two thousand repositories and ten thousand branches one is found at once", async () => {
  await forget();
  await addAccount(product, host);
  const image = await addRepository(product, "choosing/many");
  await withWindow(product, { name: "choosing-many", path: `/repositories/${image}/build?dialog=new-rule` }, async (window) => {
    await window.button("accounts.choose", {}, dialog(window)).click();
    await window.choose(select(window, "accounts.owner"), "Acme");
    await window.see(repository(window, "acme/service-3"));
    await window.field("accounts.repository", {}, dialog(window)).fill("service-1999");
    await window.see(repository(window, "acme/service-1999"));
    // One that nobody can write to is marked.
    await window.field("accounts.repository", {}, dialog(window)).fill("service-1");
    await window.see(dialog(window).getByRole("radio", { name: new RegExp(`^acme/service-1 .*${window.t("accounts.archived")}`) }));
    await window.choose(select(window, "accounts.owner"), "Ann");
    await window.field("accounts.repository", {}, dialog(window)).fill("");
    await repository(window, "ann/notes").check();
    const branch = select(window, "accounts.branch");
    assert.equal(await branch.inputValue(), "main");
    await branch.click();
    // It is on none of the first pages: the host searches, not the console.
    await branch.fill("feature/step-9998");
    await window.page.getByRole("option", { name: "feature/step-9998", exact: true }).click();
    await window.button("common.add", {}, dialog(window)).click();
    await window.gone(window.heading("accounts.choose_title"));
    await window.see(dialog(window).getByText("feature/step-9998", { exact: true }));
    // Chosen once more it is used, not added twice.
    await window.button("accounts.choose", {}, dialog(window)).click();
    await repository(window, "ann/notes").check();
    await window.see(dialog(window).getByText(window.t("accounts.watched")));
    await window.button("accounts.use", {}, dialog(window)).click();
    await window.gone(window.heading("accounts.choose_title"));
  });
  const codes = (await product.call("code_repositories.list")).filter(({ account }) => account?.path === "ann/notes");
  assert.equal(codes.length, 1);
  const form = { name: "the same again", location: { kind: "account", account: (await accounts())[0].id, path: "ann/notes" } };
  await assert.rejects(product.call("code_repositories.add", { form }), ({ failure }) => failure.code === "source_already_added" && failure.details.code_repository === String(codes[0].id));
});

test("Dockerfile and build directory are picked from the tree of the chosen branch, with the keyboard alone", async () => {
  const clone = await Clone.make("layers", {
    "readme.md": "read me\n",
    "services/web/Dockerfile": dockerfile("ADD ./ /site\n"),
    "services/web/site/index.html": "hello\n",
  });
  await clone.git("checkout", "--quiet", "-b", "next");
  await clone.commit("move", { "services/api/Dockerfile": dockerfile("ADD ./ /api\n") });
  await clone.git("checkout", "--quiet", "main");
  const code = await addClone(product, clone);
  const image = await addRepository(product, "choosing/tree");
  await withWindow(product, { name: "choosing-tree", path: `/repositories/${image}/build?dialog=new-rule` }, async (window) => {
    const editor = window.page.getByRole("dialog", { name: window.t("rules.new_title") });
    await window.choose(editor.getByRole("combobox", { name: window.t("rules.code_repository") }), "layers");
    const browse = (key) => editor.getByRole("button", { name: `${window.t("rules.browse")}: ${window.t(key)}` });
    const row = (name) => dialog(window).getByRole("option", { name });
    const keys = window.page.keyboard;
    await browse("rules.dockerfile").focus();
    await keys.press("Enter");
    await window.see(row("services"));
    await window.focusOn(window.by("combobox", "rules.browse_filter"));
    await keys.type("serv");
    await keys.press("Enter");
    await window.see(row("web"));
    assert.equal(await row("api").count(), 0, "main has no api");
    // Down past the folder above, into web, and back up.
    await keys.press("ArrowDown");
    await keys.press("Enter");
    await window.see(row(/^Dockerfile/));
    await keys.press("Backspace");
    await window.see(row("web"));
    await keys.press("ArrowDown");
    await keys.press("Enter");
    await keys.type("dockerf");
    await keys.press("Enter");
    const dockerfilePath = window.field("rules.dockerfile", {}, editor);
    assert.equal(await dockerfilePath.inputValue(), "services/web/Dockerfile");
    await window.focusOn(dockerfilePath);
    // Esc closes the files, not the editor.
    await browse("rules.context").focus();
    await keys.press("Enter");
    await window.see(row("services"));
    await window.focusOn(window.by("combobox", "rules.browse_filter"));
    await keys.press("Escape");
    await window.gone(row("services"));
    await window.see(editor);
    await browse("rules.context").click();
    await row("services").click();
    await row("web").click();
    await row(window.t("rules.browse_use")).click();
    assert.equal(await window.field("rules.context", {}, editor).inputValue(), "services/web");
    // Another branch, another tree.
    const branches = editor.getByRole("combobox", { name: window.t("rules.branches") });
    await branches.focus();
    await keys.press("Backspace");
    await branches.fill("next");
    await keys.press("Enter");
    await browse("rules.context").click();
    await row(window.t("rules.browse_up")).click();
    await window.see(row("api"));
    await keys.press("Escape");
    await window.button("common.save", {}, editor).click();
    await window.dialogGone();
  });
  const { items } = { items: await product.call("rules.list", { repository: image }) };
  assert.deepEqual([items[0].spec.code, items[0].spec.dockerfile_path, items[0].spec.context_dir, items[0].spec.triggers.branches], [code, "services/web/Dockerfile", "services/web", ["next"]]);
});

test("what goes wrong at a host stands beside its field and says what to do next", async () => {
  await forget();
  await withWindow(product, { name: "choosing-wrong", path: "/sources?dialog=connect" }, async (window) => {
    const base = window.field("accounts.base_url", {}, dialog(window));
    const connect = window.button("accounts.connect_submit", {}, dialog(window));
    const besideBase = (text) => window.see(dialog(window).locator("[id$=-error]").filter({ hasText: text }));
    // A repository's address: the host's own is offered.
    await typeHost(window, "gitea", `${host.base}/acme/web`);
    await window.field("accounts.token", {}, dialog(window)).fill(TOKEN);
    await connect.click();
    await besideBase(window.t("failure.not_a_code_host.what"));
    await window.button("accounts.use_suggestion", { address: host.base }, dialog(window)).click();
    assert.equal(await base.inputValue(), host.base);
    await window.gone(window.text("failure.not_a_code_host.what", {}, dialog(window)));
    // Another product, and nobody at all.
    await base.fill(github.url);
    await window.button("accounts.probe", {}, dialog(window)).click();
    await besideBase(window.t("failure.not_a_code_host.what"));
    await base.fill("http://127.0.0.1:9");
    await window.button("accounts.probe", {}, dialog(window)).click();
    await besideBase(window.t("failure.source_unreachable.what"));
    await window.see(window.text("failure.source_unreachable.next", {}, dialog(window)));
    // A token without the rights is named with what it lacks.
    await typeHost(window, "github_enterprise", github.url);
    await window.field("accounts.token", {}, dialog(window)).fill(marked("narrow"));
    await connect.click();
    await window.see(dialog(window).locator("[id$=-error]").filter({ hasText: "repo, read:org" }));
    await window.see(window.text("failure.source_scopes_missing.next", {}, dialog(window)));
    await window.field("accounts.token", {}, dialog(window)).fill(marked("pasted"));
    await connect.click();
    // An organization that has not approved the application says so, and who can.
    await window.see(window.heading("accounts.choose_title"));
    await tellGithub("blocked", { wanted: true });
    await window.choose(select(window, "accounts.owner"), "acme");
    await window.see(window.text("failure.source_organization_blocks.what", {}, dialog(window)));
    await window.see(window.text("failure.source_organization_blocks.next", {}, dialog(window)));
    // One behind a single sign-on: the page is one click away, and then the list is there.
    await tellGithub("sign-on", { wanted: true });
    await tellGithub("blocked", { wanted: false });
    await window.button("common.retry", {}, dialog(window)).click();
    await window.see(window.text("failure.source_sso_required.what", {}, dialog(window)));
    const page = await window.opens(() => window.button("accounts.open_sso", {}, dialog(window)).click());
    assert.equal(new URL(page.url()).pathname, "/orgs/acme/sso");
    await page.close();
    await tellGithub("sign-on", { wanted: false });
    // The list may have come by itself, with news of the account.
    const retry = window.button("common.retry", {}, dialog(window));
    const there = repository(window, "acme/web");
    let asked = false;
    await eventually("the list is there", async () => {
      if (!asked && (await retry.isVisible())) {
        await retry.click({ timeout: 5000 });
        asked = true;
      }
      return there.isVisible();
    });
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
  });
});

test("a paused account is told of once, names the rules that wait, and says when the host is asked", async () => {
  await forget();
  await addAccount(product, host);
  const [{ id: account }] = await accounts();
  const code = (await product.call("code_repositories.list")).find((one) => one.account?.path === "ann/notes")?.id ??
    (await product.call("code_repositories.add", { form: { name: "notes", location: { kind: "account", account, path: "ann/notes" } } })).id;
  const image = await addRepository(product, "choosing/paused");
  for (const name of ["one", "two"]) await product.call("rules.add", { repository: image, spec: { name, code, triggers: { any_branch: true }, version: { kind: "templates", templates: ["{branch}"] } } });
  await withWindow(product, { name: "choosing-paused", path: "/sources" }, async (window) => {
    await window.see(window.row("ann").getByText(/^checked/));
    await window.see(window.text("accounts.through", { name: "ann" }));
    host.refuse(true);
    await window.button("accounts.check").first().click();
    await window.see(window.text("accounts.paused", { count: 2 }));
    await window.see(window.page.getByText("choosing/paused · one, choosing/paused · two"));
    await window.page.getByRole("button", { name: /^Inbox/ }).click();
    await window.see(window.page.getByText(window.t("inbox.rules_wait", { count: 2 })));
    host.refuse(false);
  });
  const told = (await product.call("inbox.list", { limit: 100 })).items.filter(({ facts }) => facts.kind === "account_paused" && facts.account.account === account);
  assert.equal(told.length, 1);
  await eventually("the account goes on", async () => {
    await product.call("accounts.check", { id: account }).catch(() => undefined);
    return (await accounts())[0].paused === null;
  });
});
