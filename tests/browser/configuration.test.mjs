/** Product 2.7: the configuration goes out of one product as a file and into another by clicking; nothing starts by itself. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { addClone, addRegistry, addRepository, addRule } from "./stand/prepare.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile } from "./stand/surroundings.mjs";
import { closeBrowser, withWindow } from "./stand/window.mjs";

// Nobody listens there: a registry that is away says nothing about rights.
const HOST = "127.0.0.1:9";
let from;
let into;
let clone;
before(async () => {
  [from, into] = await Promise.all([Product.start({ keychain: true }), Product.start()]);
  const { registry, credential } = await addRegistry(from, HOST, { password: "open sesame" });
  clone = await Clone.make("helloworld", { Dockerfile: dockerfile("ADD ./ /site\n") });
  const code = await addClone(from, clone, "pages");
  const repository = await addRepository(from, "team/helloworld", { registry, credential });
  await addRule(from, repository, code, { name: "site" });
  const target = { kind: "container", engine: "local", name: "web" };
  await from.call("triggers.add", { repository, spec: { name: "on-the-page", condition: { kind: "all" }, target } });
});
after(async () => {
  await closeBrowser();
  await Promise.all([from?.stop(), into?.stop()]);
});

test("the configuration of one product is exported and imported into a second one by clicking", async () => {
  let file;
  await withWindow(from, { name: "configuration-export", path: "/settings" }, async (window) => {
    const [download] = await Promise.all([window.page.waitForEvent("download"), window.button("configuration.export").click()]);
    assert.match(download.suggestedFilename(), /^slipway-configuration-\d{4}-\d\d-\d\d\.json$/);
    const buffer = readFileSync(await download.path());
    assert.ok(!buffer.includes("open sesame"));
    file = { name: download.suggestedFilename(), mimeType: "application/json", buffer };
  });
  await withWindow(into, { name: "configuration-import", path: "/settings" }, async (window) => {
    await window.button("configuration.import").click();
    await window.see(window.dialog);
    const choose = (chosen) => window.dialog.locator('input[type="file"]').setInputFiles(chosen);
    await choose({ name: "broken.json", mimeType: "application/json", buffer: Buffer.from('{"slipway": 1,\n "sources": [{]}') });
    await window.see(window.text("failure.bad_configuration.what", {}, window.dialog));
    await window.see(window.dialog.getByText("line 2, column"));
    await window.button("builds.context_forget", {}, window.dialog).click();
    await choose(file);
    await window.see(window.dialog.getByRole("row", { name: /on-the-page/ }));
    // What would be built, and from where, is shown before a person agrees.
    await window.see(window.dialog.getByRole("row").filter({ hasText: "pages" }).filter({ hasText: clone.path }));
    const builds = window.t("configuration.from_source", { source: "pages" });
    await window.see(window.dialog.getByRole("row", { name: /site/ }).filter({ hasText: builds }));
    await window.see(window.dialog.getByRole("listitem").filter({ hasText: window.t("configuration.need_switched_off") }));
    assert.deepEqual(await into.call("code_repositories.list"), [], "a preview changes nothing");
    await window.button("configuration.submit", {}, window.dialog).click();
    await window.see(window.text("configuration.imported", {}, window.dialog));
    const needs = window.dialog.getByRole("list", { name: window.t("configuration.needs_now") });
    await window.see(needs.getByText(window.t("configuration.need_login")));
    await window.see(needs.getByText(window.t("configuration.need_switched_off")));
    await window.button("common.close", {}, window.dialog).last().click();
    await window.dialogGone();

    const [trigger] = await into.call("triggers.list");
    assert.equal(trigger.spec.enabled, false);
    await window.go(`/repositories/${trigger.repository}/build`);
    await window.see(window.page.getByRole("row", { name: /site/ }));
    await window.go(`/repositories/${trigger.repository}/triggers`);
    await window.see(window.page.getByRole("row", { name: /on-the-page/ }));
    // Stays in sight until it was entered.
    await window.go("/");
    await window.see(window.text("failure.secret_not_entered.what"));
    assert.deepEqual((await into.call("builds.list", {})).items, []);
  });
  assert.equal((await into.call("configuration.export")).text, (await from.call("configuration.export")).text);
});
