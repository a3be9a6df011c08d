/** The first minutes: a green build of the bundled sample from nothing, and help for code that has no Dockerfile. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { addClone } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, removeOwnImages } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

after(async () => {
  await closeBrowser();
  await removeOwnImages();
});

test("seed 0.12, K.5: from nothing to a green build of the sample by one click, without account, registry or network", { timeout: 180_000 }, async () => {
  const product = await Product.start();
  await withWindow(product, { name: "sample" }, async (window) => {
    const steps = window.by("region", "overview.first_steps");
    const step = (name) => steps.getByRole("listitem").filter({ hasText: window.t(`overview.step_${name}`) });
    const done = (name) => step(name).getByRole("img", { name: window.t("overview.step_done") });
    await window.see(done("engine"));
    await window.button("overview.sample_build", {}, steps).click();
    await window.see(window.page.getByRole("heading", { level: 1 }).getByText(window.t("builds.state_succeeded")), BUILD_MS);
    await window.tab("builds.tab_result").click();
    await window.see(window.page.getByText("sha256:", { exact: false }));
    await window.visit("page.overview");
    await window.see(done("sample"));
    // The other steps are open, and the next one has its button.
    await window.see(step("repository").getByRole("img", { name: window.t("overview.step_open") }));
    await window.link("repositories.add", {}, step("repository")).click();
    await window.see(window.page.getByRole("dialog", { name: window.t("repositories.add") }));
  });
  // Its state is an SQLite database.
  assert.equal(readFileSync(join(product.dataFolder, "state.db")).subarray(0, 15).toString(), "SQLite format 3");
  await product.stop();
});

test("seed 4.7, 4.8: help says how to write a Dockerfile, with the sample files ready to copy", async () => {
  const product = await Product.start();
  await withWindow(product, { name: "help" }, async (window) => {
    await window.button("shell.help").click();
    await window.item("help.dockerfile").click();
    await window.see(window.page.getByRole("dialog", { name: window.t("help.dockerfile") }));
    for (const line of ["FROM nginx", "MAINTAINER", "ADD ./ /usr/share/nginx/html"]) {
      await window.see(window.dialog.getByText(line, { exact: false }));
    }
    await window.button("common.copy", {}, window.dialog).first().click();
    await eventually("the sample is in the clipboard", async () => /FROM nginx/.test(await window.page.evaluate(() => navigator.clipboard.readText())));
    await window.dialog.getByRole("tab", { name: "index.html" }).click();
    await window.see(window.dialog.getByText(/hello world/i));
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
  });
  await product.stop();
});

test("code without a Dockerfile gets a starter that fits, written into its folder and never over a file", async () => {
  const product = await Product.start();
  const clone = await Clone.make("web", { "package.json": '{"name":"web","scripts":{"start":"node server.js"}}\n', "server.js": "console.log('hello')\n" });
  const id = await addClone(product, clone);
  await withWindow(product, { name: "starters", path: `/?dialog=starters.${id}` }, async (window) => {
    await window.see(window.dialog);
    await window.see(window.dialog.getByText(window.t("starters.because_of", { file: "package.json" }), { exact: false }));
    await window.button("starters.write", {}, window.dialog).click();
    await window.see(window.dialog.getByText("Dockerfile", { exact: false }));
    await window.see(window.dialog.getByText(window.t("starters.written", { files: "" }).replace(/[.\s]*$/, ""), { exact: false }));
    assert.ok(existsSync(join(clone.path, "Dockerfile")));
    assert.equal(readFileSync(join(clone.path, "package.json"), "utf8").includes('"name":"web"'), true);
  });
  await product.stop();
});
