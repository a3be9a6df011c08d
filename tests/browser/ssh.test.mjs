/** Code over SSH in the console: the question about the host's key, and the refusal of a changed one. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { SshServer } from "./stand/ssh_server.mjs";
import { Clone } from "./stand/surroundings.mjs";
import { axePath, closeBrowser, withWindow } from "./stand/window.mjs";

after(closeBrowser);

const axe = readFileSync(axePath, "utf8");

test("t02: an SSH address asks about the host's key once; another key later is refused", { timeout: 120_000 }, async () => {
  const server = await SshServer.start();
  const clone = await Clone.make("web", { "index.html": "hello\n" });
  const address = await server.publish("web.git", clone);
  const product = await Product.start({ env: server.env });
  await withWindow(product, { name: "ssh", path: "/sources?dialog=add" }, async (window) => {
    await window.segment("sources.kind_url").click();
    const field = window.field("sources.url", {}, window.dialog);
    await field.fill(address);
    // The user's own keys open it: no fields for a login, and a sentence that says so.
    await window.see(window.text("sources.ssh_hint", {}, window.dialog));
    await window.gone(window.field("sources.password", {}, window.dialog));
    await window.button("common.add", {}, window.dialog).click();
    const question = window.dialog.getByRole("alert").filter({ hasText: window.t("sources.host_key_title") });
    await window.see(question);
    await window.see(question.getByText(await server.fingerprint()));
    await window.see(question.getByText("ED25519"));
    for (const scheme of ["dark", "light"]) {
      await window.wear(scheme);
      await window.page.evaluate(axe);
      const { violations } = await window.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      assert.deepEqual(violations.filter(({ impact }) => ["serious", "critical"].includes(impact)), [], scheme);
    }
    assert.deepEqual(await product.call("code_repositories.list"), [], "nothing was added before the answer");
    await window.button("sources.host_key_trust", {}, question).click();
    await window.dialogGone();
    await window.see(window.row(address).getByText(window.t("sources.healthy")));
    assert.equal(existsSync(server.knownHosts), false, "the user's own list is only read");
    assert.equal(readFileSync(join(product.dataFolder, "known_hosts"), "utf8").trim().split("\n").length, 1);

    await server.changeHostKey();
    await window.row(address).getByRole("button", { name: window.t("sources.check_now") }).click();
    const refusal = window.page.getByRole("alert").filter({ hasText: window.t("failure.ssh_host_key_changed.what") });
    await window.see(refusal);
    await window.see(refusal.getByText(await server.fingerprint(), { exact: false }));
    const [source] = await product.call("code_repositories.list");
    await window.go(`/sources?dialog=edit.${source.id}`);
    await window.button("common.test", {}, window.dialog).click();
    await window.see(window.dialog.getByRole("alert").filter({ hasText: window.t("failure.ssh_host_key_changed.next") }));
    await window.gone(window.button("sources.host_key_trust", {}, window.dialog));
    await eventually("the source says so, too", async () => {
      const [{ last_failure }] = await product.call("code_repositories.list");
      return last_failure?.code === "ssh_host_key_changed";
    });
  });
  await product.stop();
});
