/** What is left when a build fails and nothing helps: a report to give to somebody who does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { addClone, addRepository, addRule, build } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile, LABEL, removeOwnImages } from "./stand/surroundings.mjs";
import { closeBrowser, withWindow } from "./stand/window.mjs";

let product;
before(async () => {
  product = await Product.start();
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await removeOwnImages();
});

test("seed 3.26: a build that still fails leads to a report for a ticket, seen before it is copied or saved", async () => {
  const clone = await Clone.make("broken", { Dockerfile: dockerfile(`RUN : ${LABEL} && echo 'cannot find libdoor.so' && exit 3\n`) });
  const image = await addRepository(product, "report/broken");
  const rule = await addRule(product, image, await addClone(product, clone), { auto_trigger: false });
  const failed = await build(product, rule);
  assert.equal(failed.state, "failed");
  await withWindow(product, { name: "report", path: `/builds/${failed.id}` }, async (window) => {
    await window.button("builds.report_open").click();
    const report = window.by("region", "builds.report", {}, window.dialog);
    await window.see(report.getByText("report/broken", { exact: false }));
    const text = await report.textContent();
    const { version } = await product.call("system.status");
    for (const part of [`Slipway ${version}`, "report/broken", `Failure: ${failed.failure.code}`, failed.commit.id, "cannot find libdoor.so"]) {
      assert.ok(text.includes(part), `${part} is not in ${text}`);
    }
    await window.button("builds.report_copy", {}, window.dialog).click();
    await eventually("it is copied", async () => (await window.page.evaluate(() => navigator.clipboard.readText())) === text);
    const [file] = await Promise.all([window.page.waitForEvent("download"), window.button("help.save_file", {}, window.dialog).click()]);
    assert.equal(readFileSync(await file.path(), "utf8"), text);
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
  });
});
