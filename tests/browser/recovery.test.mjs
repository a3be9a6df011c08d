/** Recovery for people: a disk that is full and has room again, diagnostics that are read before they are saved. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { marked } from "../hosts/canary.mjs";
import { addClone, addRegistry, addRepository, addRule } from "./stand/prepare.mjs";
import { Product } from "./stand/product.mjs";
import { smallDisk } from "./stand/small_disk.mjs";
import { Clone, dockerfile, LABEL, removeOwnImages } from "./stand/surroundings.mjs";
import { axePath, BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

const axe = readFileSync(axePath, "utf8");

/** Nothing serious in both themes: these states are on no address that the general walk goes to. */
async function assertAccessible(window) {
  for (const scheme of ["light", "dark"]) {
    await window.wear(scheme);
    await window.page.evaluate(axe);
    const { violations } = await window.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    const found = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    assert.deepEqual(found.map(({ id, nodes }) => `${scheme} ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`), []);
  }
}

after(async () => {
  await closeBrowser();
  await removeOwnImages();
});

test("f16_ the disk is full: a banner says what waits and what to do; there is room, and everything goes on by itself", { timeout: 180_000 }, async () => {
  const product = await Product.start();
  await product.kill();
  const disk = await smallDisk(product.dataFolder, 64);
  try {
    await product.launch();
    const clone = await Clone.make("helloworld", { Dockerfile: dockerfile(`RUN : ${LABEL} && echo hello\n`) });
    const repository = await addRepository(product, "bad/disk");
    const rule = await addRule(product, repository, await addClone(product, clone), { triggers: {} });
    await withWindow(product, { name: "disk-full" }, async (window) => {
      const banner = window.page.getByRole("alert").filter({ hasText: window.t("failure.disk_full.what") });
      await window.gone(banner);
      await disk.fill(1024 * 1024);
      await window.see(banner, 30_000);
      await window.see(banner.getByText(window.t("failure.disk_full.next")));
      await assertAccessible(window);
      const { id } = await product.call("builds.start", { rule, target: { kind: "ref", name: "refs/heads/main" } });
      const waiting = (await product.call("builds.queue")).find(({ build }) => build.id === id);
      assert.equal(waiting.waits_for.failure.code, "disk_full");
      await window.go("/builds");
      const check = await window.see(window.button("health.check", {}, banner));
      await disk.makeRoom();
      // The program looks by itself too, and may be first.
      await Promise.race([check.click().catch(() => undefined), window.gone(banner)]);
      await window.gone(banner, 30_000);
      const done = await product.finishedBuild(repository, BUILD_MS);
      assert.equal(done.state, "succeeded", JSON.stringify(done.failure));
    });
    await product.stop();
  } finally {
    await product.kill();
    await disk.remove();
  }
});

test("t27_ the diagnostics are read part by part, hold no secret, and are saved as they were read", { timeout: 120_000 }, async () => {
  const product = await Product.start({ keychain: true });
  const canary = marked("canary-of-the-diagnostics-7f3");
  await addRegistry(product, "127.0.0.1:9", { password: canary });
  await withWindow(product, { name: "diagnostics", path: "/settings" }, async (window) => {
    await window.button("diagnostics.open").click();
    await window.see(window.dialog.getByRole("region", { name: "slipway.txt" }));
    const { version } = await product.call("system.status");
    await window.see(window.dialog.getByText(`Slipway: ${version}`));
    await window.dialog.getByRole("tab", { name: "settings.json" }).click();
    await window.see(window.dialog.getByText('"concurrency": 2'));
    await assertAccessible(window);
    const [file] = await Promise.all([window.page.waitForEvent("download"), window.button("diagnostics.save", {}, window.dialog).click()]);
    assert.match(file.suggestedFilename(), /^slipway-diagnostics-.*\.txt$/);
    const saved = readFileSync(await file.path(), "utf8");
    for (const part of ["slipway.txt", "engine.txt", "settings.json", "counts.txt", "health.txt", "log.txt"]) {
      assert.ok(saved.includes(`===== ${part} =====`), part);
    }
    for (const secret of [canary, Buffer.from(canary).toString("base64").replaceAll("=", ""), product.token]) {
      assert.ok(!saved.includes(secret), "a secret is in the diagnostics");
    }
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
  });
  await product.stop();
});

test("f15_ the keychain lost its key: what to enter again is listed, and each entry leads there", { timeout: 120_000 }, async () => {
  const product = await Product.start({ keychain: true });
  const { registry, credential } = await addRegistry(product, "127.0.0.1:9", { password: "out of reach" });
  await withWindow(product, { name: "key-lost", path: "/settings" }, async (window) => {
    const closed = {
      failure: { code: "keychain_key_lost", message: "the keychain has no key for the stored secrets" },
      owners: [{ kind: "credential", id: credential, registry, name: "ann", registry_name: "company" }, { kind: "code_proxy" }],
    };
    await window.page.route("**/rpc/health.get", (route) => route.fulfill({ json: { room: null, full_engines: [], closed } }));
    await window.go("/");
    const notice = window.page.getByRole("alert").filter({ hasText: window.t("failure.keychain_key_lost.what") });
    await window.see(notice.getByText(window.t("health.enter_again")));
    await window.see(window.link("health.owner_code_proxy", {}, notice));
    await window.see(window.button("health.new_key", {}, notice));
    await assertAccessible(window);
    await window.link("health.owner_credential", { name: "ann", registry: "company" }, notice).click();
    await window.see(window.page.getByRole("dialog", { name: window.t("registries.edit_credential") }));
  });
  await product.stop();
});
