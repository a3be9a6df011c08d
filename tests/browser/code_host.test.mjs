/** GitHub from the first click to the status beside the commit: authorized in its own page, chosen from lists, pushed to. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { marked } from "../hosts/canary.mjs";
import { APPLICATION, startGithub } from "./stand/github.mjs";
import { addRegistry, addRepository, addRule } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile, removeOwnImages, startRegistry } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

let github;
let registry;
let product;
before(async () => {
  [github, registry, product] = await Promise.all([startGithub(), startRegistry(), Product.start({ keychain: true })]);
});
after(async () => {
  await closeBrowser();
  await removeOwnImages();
  await product?.stop();
});

test(
  "seed 0.2, 2.3, 2.4, 3.5, 3.9, K.4: GitHub is authorized inside the rule dialog, and a push there is built and told beside its commit",
  { timeout: 240_000 },
  async () => {
    // The newest state alone is told: the build takes as long as the host needs to hear that it is under way.
    const clone = await Clone.make("web", { Dockerfile: dockerfile("ADD ./ /www\nRUN sleep 15\n"), "index.html": "hello world\n" });
    await clone.git("branch", "release");
    await github.push(clone, "acme/web", "main", "release");
    // The application that a build of Slipway brings along, or that a person registered.
    await product.call("accounts.save_application", { host: github.place, ...APPLICATION });
    const image = await addRepository(product, "team/web", await addRegistry(product, registry.host));
    await withWindow(product, { name: "code-host", path: `/repositories/${image}/build` }, async (window) => {
      await window.button("rules.add").first().click();
      const editor = window.page.getByRole("dialog", { name: window.t("rules.new_title") });
      const name = window.field("common.name", {}, editor);
      await name.fill("pushes to GitHub");
      const report = editor.getByRole("checkbox", { name: window.t("rules.report_status") });
      assert.equal(await report.count(), 0, "only code of an account has a host to tell");

      // No account yet: the way to one is inside the dialog, in the browser and on GitHub's own page.
      await window.button("accounts.choose", {}, editor).click();
      await window.button("accounts.authorize_source", {}, window.dialog.last()).click();
      const connect = window.dialog.last();
      const provider = connect.getByRole("combobox", { name: window.t("accounts.provider") });
      await window.choose(provider, window.t("accounts.product_github_enterprise"));
      await window.field("accounts.base_url", {}, connect).fill(github.url);
      await window.button("common.more", {}, connect).click();
      await connect.getByRole("checkbox", { name: window.t("accounts.plain_http") }).check();
      await connect.getByRole("checkbox", { name: window.t("accounts.need_statuses") }).check();
      const page = await window.opens(() => window.button("accounts.authorize_browser", {}, connect).click());
      await page.getByText("Sign in to GitHub").waitFor();
      assert.ok(page.url().startsWith(`${github.url}/login/oauth/authorize`), page.url());
      assert.ok(new URL(page.url()).searchParams.get("code_challenge"), "PKCE");
      await page.getByRole("button", { name: /ada/ }).click();
      await page.getByText("Close this page and go back to Slipway").waitFor();
      assert.equal(new URL(page.url()).hostname, "127.0.0.1");
      await page.close();

      // Organization, repository and branch from lists; what was typed is still there.
      await window.see(window.heading("accounts.choose_title"));
      const choice = window.dialog.last();
      const select = (key) => choice.getByRole("combobox", { name: window.t(key) });
      await window.choose(select("accounts.owner"), /acme/i);
      await choice.getByRole("radio", { name: "acme/web" }).check();
      await window.choose(select("accounts.branch"), "release");
      await window.button("common.add", {}, choice).click();
      await window.gone(window.heading("accounts.choose_title"));
      assert.equal(await name.inputValue(), "pushes to GitHub");
      await window.see(editor.getByText("release", { exact: true }));
      await report.check();
      await window.see(editor.getByText(`${registry.host}/team/web:release-`, { exact: false }));
      await window.button("common.save", {}, editor).click();
      await window.dialogGone();
      await window.see(window.row("pushes to GitHub"));

      // A push there. Nobody clicks.
      await clone.git("switch", "--quiet", "release");
      const commit = await clone.commit("say hello", { "index.html": "hello again\n" });
      await github.push(clone, "acme/web", "release");
      const row = window.page.getByRole("row").filter({ hasText: commit.slice(0, 7) }).filter({ hasText: "say hello" });
      await window.see(row, BUILD_MS);
      await row.getByRole("link", { name: "#1" }).click();
      await window.see(window.buildState("succeeded"), BUILD_MS);
      const told = window.by("region", "report.title");
      await window.see(told.getByText(window.t("report.state_success")));

      const statuses = await eventually("GitHub shows the result", async () => {
        const shown = await github.statuses(commit);
        return shown.at(-1)?.state === "success" && shown;
      });
      assert.deepEqual(statuses[0], { state: "pending", description: "Build #1 is under way" });
      assert.match(statuses.at(-1).description, /^Build #1 succeeded in \d+ s$/);
      assert.ok((await registry.tags("team/web")).some((tag) => tag.includes(commit.slice(0, 7))));
    });
    const [account] = await product.call("accounts.list");
    assert.deepEqual([account.login, account.token_kind, account.needs], ["ada", "oauth", ["read", "statuses"]]);
    const [code] = await product.call("code_repositories.list");
    assert.deepEqual([code.account.path, code.last_failure], ["acme/web", null]);
  },
);

test("a repository that is renamed at GitHub is still built from, and shown with its new name", { timeout: 240_000 }, async () => {
  const clone = await Clone.make("site", { Dockerfile: dockerfile("ADD ./ /www\n"), "index.html": "one\n" });
  await github.push(clone, "ada/tool", "main");
  const account = await product.call("accounts.add_with_token", { host: github.place, token: { token: marked("pasted") } });
  const image = await addRepository(product, "team/renamed", await addRegistry(product, registry.host, { name: "renamed" }));
  const location = { kind: "account", account: account.id, path: "ada/tool" };
  const code = await product.call("code_repositories.add", { form: { name: "ada/tool", location } });
  await addRule(product, image, code.id);
  const known = async () => (await product.call("code_repositories.list")).find(({ id }) => id === code.id);
  await eventually("the code was looked at", async () => (await known()).last_ok_at !== null);
  await withWindow(product, { name: "renamed", path: "/sources" }, async (window) => {
    await window.see(window.row("ada/tool"));
    await github.rename("ada/tool", "ada/toolbox");
    const commit = await clone.commit("after the new name", { "index.html": "two\n" });
    await github.push(clone, "ada/toolbox", "main");
    await window.see(window.row("ada/toolbox"), BUILD_MS);
    await window.go(`/repositories/${image}/build`);
    const row = window.page.getByRole("row").filter({ hasText: commit.slice(0, 7) }).filter({ hasText: "after the new name" });
    await window.see(row, BUILD_MS);
    await window.see(row.getByText(window.t("builds.state_succeeded")), BUILD_MS);
  });
  assert.ok((await registry.tags("team/renamed")).length > 0);
  const renamed = await known();
  assert.deepEqual([renamed.name, renamed.account.path, renamed.last_failure], ["ada/toolbox", "ada/toolbox", null]);
});
