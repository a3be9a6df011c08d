/** Source accounts by clicking: connected with a token, code chosen from lists, refused and connected again, unbound. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { addAccount, startCodeHost, TOKEN } from "./stand/code_host.mjs";
import { addRepository } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { closeBrowser, withWindow } from "./stand/window.mjs";

let product;
let host;
before(async () => {
  host = await startCodeHost();
  product = await Product.start({ keychain: true });
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await host?.stop();
});

const select = (window, key) => window.dialog.last().getByRole("combobox", { name: window.t(key) });
const repository = (window, path) => window.dialog.last().getByRole("radio", { name: path });
const accounts = () => product.call("accounts.list");

/** Fills the dialog that connects an account; the address has been looked at when the token can be typed. */
async function typeAccount(window, token) {
  const dialog = window.dialog.last();
  await window.choose(select(window, "accounts.provider"), window.t("accounts.product_gitea"));
  await window.field("accounts.base_url", {}, dialog).fill(host.base);
  await window.button("common.more", {}, dialog).click();
  await dialog.getByRole("checkbox", { name: window.t("accounts.plain_http") }).check();
  await window.field("accounts.token", {}, dialog).fill(token);
}

test("seed 0.4, 2.3, 2.4, 2.5: an account is connected with a token, then source, organization and repository are chosen", async () => {
  await withWindow(product, { name: "accounts-connect", path: "/sources" }, async (window) => {
    await window.button("accounts.connect").click();
    // Nothing is known before the address is; plain HTTP wants a consent.
    await window.choose(select(window, "accounts.provider"), window.t("accounts.product_gitea"));
    await window.see(window.text("accounts.address_first", {}, window.dialog));
    await window.field("accounts.base_url", {}, window.dialog).fill(host.base);
    await window.see(window.dialog.getByText("explicit consent"));
    await typeAccount(window, "wrong-token");
    // What the token is for, with the host's own names of the rights.
    await window.see(window.dialog.getByText(window.t("accounts.reason_code")));
    await window.button("accounts.probe", {}, window.dialog).click();
    await window.see(window.dialog.getByText("1.24.6"));
    await window.button("accounts.connect_submit", {}, window.dialog).click();
    // A refused token stands at its field, and what was typed is still there.
    const token = window.field("accounts.token", {}, window.dialog);
    await window.see(window.dialog.getByText("401 Unauthorized"));
    assert.equal(await window.field("accounts.base_url", {}, window.dialog).inputValue(), host.base);
    await token.fill(TOKEN);
    await window.button("accounts.connect_submit", {}, window.dialog).click();

    await window.see(window.page.getByRole("dialog", { name: window.t("accounts.choose_title") }));
    await window.see(repository(window, "ann/notes"));
    await window.choose(select(window, "accounts.owner"), "Acme");
    // The second page comes when it is asked for.
    await window.see(repository(window, "acme/service-3"));
    assert.equal(await repository(window, "acme/service-58").count(), 0);
    await window.button("accounts.show_more", {}, window.dialog).click();
    await window.see(repository(window, "acme/service-58"));
    await window.field("accounts.repository", {}, window.dialog).fill("web");
    await window.gone(repository(window, "acme/service-3"));
    await repository(window, "acme/web").check();
    await window.button("common.add", {}, window.dialog).click();
    await window.dialogGone();
    await window.see(window.row("acme/web").getByText(window.t("accounts.through", { name: "ann" })));
  });
  const [code] = await product.call("code_repositories.list");
  assert.equal(code.account.path, "acme/web");
});

test("seed 3.1, 3.9: the first account is connected inside the rule editor, and what was typed there stays", async () => {
  for (const { id } of await accounts()) await product.call("accounts.delete", { id });
  const image = await addRepository(product, "accounts/rule");
  await withWindow(product, { name: "accounts-rule", path: `/repositories/${image}/build?dialog=new-rule` }, async (window) => {
    const editor = window.page.getByRole("dialog", { name: window.t("rules.new_title") });
    const name = window.field("common.name", {}, editor);
    await name.fill("typed before");
    await window.button("accounts.choose", {}, editor).click();
    await window.see(window.text("accounts.empty", {}, window.dialog.last()));
    await window.button("accounts.authorize_source", {}, window.dialog.last()).click();
    // The nine sources that can be connected.
    await select(window, "accounts.provider").click();
    await window.see(window.page.getByRole("option"));
    assert.equal(await window.page.getByRole("option").count(), 9);
    await window.page.keyboard.press("Escape");
    await typeAccount(window, TOKEN);
    await window.button("accounts.connect_submit", {}, window.dialog.last()).click();
    await repository(window, "ann/notes").check();
    await window.button("common.add", {}, window.dialog.last()).click();
    await window.gone(window.heading("accounts.choose_title"));
    assert.equal(await name.inputValue(), "typed before");
    await window.see(editor.getByText("main", { exact: true }));
    const field = editor.getByRole("combobox", { name: window.t("rules.code_repository") });
    await eventually("the code is chosen", async () => (await field.inputValue()) === "ann/notes");
    // Esc closes the dialog that lies on top, not the editor below.
    await window.button("accounts.choose", {}, editor).click();
    await window.see(window.heading("accounts.choose_title"));
    await window.page.keyboard.press("Escape");
    await window.gone(window.heading("accounts.choose_title"));
    await window.see(editor);
  });
});

test("seed 3.24: a refused account pauses, says where to take the old token back, and goes on with a new one", async () => {
  if ((await accounts()).length === 0) await addAccount(product, host);
  host.refuse(true);
  await withWindow(product, { name: "accounts-refused", path: "/sources" }, async (window) => {
    const check = window.button("accounts.check");
    await eventually("the account is paused", async () => {
      await check.click();
      return (await accounts())[0].paused !== null;
    });
    await window.button("accounts.reconnect").first().click();
    await window.see(window.button("accounts.revoke_page", {}, window.dialog));
    host.refuse(false);
    await window.field("accounts.token", {}, window.dialog).fill(TOKEN);
    await window.button("accounts.reconnect", {}, window.dialog).click();
    await window.dialogGone();
    await window.see(window.text("accounts.connected"));
    assert.equal((await accounts())[0].paused, null);
  });
});

test("unbinding names what stops and where the token is taken back", async () => {
  if ((await accounts()).length === 0) await addAccount(product, host);
  await withWindow(product, { name: "accounts-unbind", path: "/sources" }, async (window) => {
    await window.pick("ann", "accounts.unbind");
    await window.see(window.text("accounts.stops_code", { name: "ann/notes" }, window.dialog));
    await window.see(window.button("accounts.revoke_page", {}, window.dialog));
    await window.button("accounts.unbind", {}, window.dialog).click();
    await window.dialogGone();
    await window.see(window.text("accounts.empty"));
    await window.see(window.text("accounts.unbound").or(window.row("ann/notes")));
  });
  assert.deepEqual(await accounts(), []);
});

test("an account is authorized in the browser, without typing a token", async () => {
  const place = { provider: "gitea", base_url: host.base, allow_plain_http: true };
  await product.call("accounts.save_application", { host: place, client_id: "slipway-of-ann" });
  await withWindow(product, { name: "accounts-browser", path: "/sources?dialog=connect" }, async (window) => {
    await window.choose(select(window, "accounts.provider"), window.t("accounts.product_gitea"));
    await window.field("accounts.base_url", {}, window.dialog).fill(host.base);
    await window.button("common.more", {}, window.dialog).click();
    await window.dialog.getByRole("checkbox", { name: window.t("accounts.plain_http") }).check();
    await window.button("accounts.authorize_browser", {}, window.dialog).click();
    await window.see(window.heading("accounts.choose_title"));
    await window.see(repository(window, "ann/notes"));
  });
  assert.equal((await accounts())[0].token_kind, "oauth");
});
