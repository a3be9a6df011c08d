/** Webhooks by clicking: the listener in Settings, the switch of a code source, what came in, what is left behind. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";

import { addAccount, startCodeHost } from "./stand/code_host.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { closeBrowser, withWindow } from "./stand/window.mjs";

let product;
let host;
let account;
let code;
before(async () => {
  host = await startCodeHost();
  product = await Product.start({ keychain: true });
  account = await addAccount(product, host);
  const form = { name: "acme/web", location: { kind: "account", account, path: "acme/web" } };
  code = (await product.call("code_repositories.add", { form })).id;
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await host?.stop();
});

const listener = () => product.call("webhooks.listener");
const webhook = async () => (await product.call("webhooks.list"))[0];
const toggle = (window) => window.dialog.getByRole("switch", { name: window.t("webhooks.switch") });

test("seed 0.5: the listener is off, says that its port is taken, and is reached where somebody says so", async () => {
  const other = createServer();
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  await withWindow(product, { name: "webhooks-listener", path: "/settings" }, async (window) => {
    await window.see(window.text("webhooks.listener_off"));
    await window.turn(window.page.getByRole("switch", { name: window.t("webhooks.listen") }), true);
    await window.field("webhooks.address").fill("everywhere");
    await window.button("webhooks.save_listener").click();
    // What is wrong stands at the field, and nothing listens.
    await window.see(window.page.getByText("the address is a number with a port"));
    await window.field("webhooks.address").fill(`127.0.0.1:${other.address().port}`);
    await window.button("webhooks.save_listener").click();
    await window.see(window.text("failure.webhook_listener_failed.what"));
    await window.field("webhooks.address").fill("127.0.0.1:0");
    await window.button("webhooks.save_listener").click();
    await window.see(window.page.getByText(window.t("webhooks.only_this_machine_here")));
    const { reached_at: at } = await listener();
    assert.match(at, /^http:\/\/127\.0\.0\.1:\d+$/);
    await window.see(window.page.getByText(at));
    await window.field("webhooks.public_url").fill("https://hooks.example.com/");
    await window.button("webhooks.save_listener").click();
    await window.see(window.page.getByText("https://hooks.example.com", { exact: true }));
    await window.field("webhooks.public_url").fill("");
    await window.button("webhooks.save_listener").click();
    await window.see(window.page.getByText(window.t("webhooks.only_this_machine_here")));
  });
  other.close();
  // A stranger's request is told of.
  assert.equal((await fetch((await listener()).reached_at)).status, 405);
  assert.equal((await listener()).last_refusal, "method");
});

test("a webhook is switched on and off, and what came in and what was refused is shown", async () => {
  await withWindow(product, { name: "webhooks-switch", path: "/sources" }, async (window) => {
    await window.pick("acme/web", "webhooks.webhook");
    await window.turn(toggle(window), true);
    await window.see(window.text("webhooks.state_registered", {}, window.dialog));
    assert.equal(host.hooks().length, 1);
    assert.match(host.hooks()[0].url, /^http:\/\/127\.0\.0\.1:\d+\/hooks\/[0-9a-f]{32}$/);
    assert.deepEqual(await host.tellPush("1".repeat(40)), [202]);
    await window.see(window.dialog.getByText(window.t("webhooks.delivered", { count: 1 })));
    assert.deepEqual(await host.tellPush("2".repeat(40), "another secret"), [401]);
    await window.see(window.dialog.getByText(window.t("webhooks.refusal_wrong_signature")));
    // The address is shown, the part that nobody needs to know is not.
    assert.equal((await window.dialog.innerText()).includes(new URL(host.hooks()[0].url).pathname), false);

    // Somebody removes it at the host.
    host.dropHooks();
    await window.button("webhooks.check", {}, window.dialog).click();
    await eventually("it is made again on a person's wish", async () => host.hooks().length === 1);
    await window.button("common.close", {}, window.dialog).last().click();
    await window.see(window.row("acme/web").getByText(window.t("webhooks.state_registered")));
    await window.row("acme/web").getByRole("button", { name: new RegExp(`^${window.t("webhooks.webhook")}`) }).click();
    await window.turn(toggle(window), false);
    await window.gone(window.text("webhooks.last_delivery", {}, window.dialog));
    assert.deepEqual(host.hooks(), []);
    assert.equal(await webhook(), undefined);
  });
});

test("a webhook that a host does not let go is named until somebody has removed it there", async () => {
  await product.call("webhooks.switch_on", { code });
  assert.equal((await webhook()).state.kind, "registered");
  // The host takes no token any more, so it removes nothing.
  host.refuse(true);
  await product.call("accounts.delete", { id: account });
  host.refuse(false);
  await withWindow(product, { name: "webhooks-left", path: "/sources" }, async (window) => {
    await window.see(window.text("webhooks.left_title"));
    // Where it is, and what it calls, so that a person finds it.
    await window.see(window.page.getByText("/hooks/").filter({ hasText: "acme/web" }));
    await window.button("webhooks.forget").click();
    await window.gone(window.text("webhooks.left_title"));
  });
  assert.deepEqual(await product.call("webhooks.list"), []);
});
