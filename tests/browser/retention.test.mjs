/** Retention by clicking: a rule is tried out, carried out at a real registry, and saved; what must stay stays. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { addRepository } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { dockerfile, LABEL, removeOwnImages, startRegistry } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

const NAME = "retention/app";
let product;
let registry;
let repository;
before(async () => {
  registry = await startRegistry();
  product = await Product.start();
  const { id } = await product.call("registries.add", { form: { name: "company", host: registry.host, plain_http: true } });
  repository = await addRepository(product, NAME, { registry: id, source: "dockerfile" });
  for (const tag of ["one", "two", "three", "four"]) {
    const text = dockerfile(`ENV NAME=${tag}\nRUN : ${LABEL} && echo ${tag} > /${tag}\n`);
    await product.call("uploads.dockerfile", { repository, tag, dockerfile: { kind: "text", text } });
    const done = await product.finishedBuild(repository);
    assert.equal(done.state, "succeeded", JSON.stringify(done.failure));
  }
  // Another name for the first: it goes with it, or keeps it.
  await product.call("versions.copy", { repository, from: "one", to: "stable" });
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await removeOwnImages();
});

for (const language of ["en", "zh"]) {
  test(`a retention rule is tried out: what goes, what stays, and why (${language})`, async () => {
    await withWindow(product, { name: `retention-try-${language}`, language, path: `/repositories/${repository}/versions` }, async (window) => {
      await window.see(window.row("four"));
      await window.button("retention.open").click();
      const { dialog } = window;
      await window.see(window.text("retention.would_remove", { removed: 0, count: 5 }, dialog), BUILD_MS);
      await window.field("retention.keep_days", {}, dialog).fill("");
      await window.field("retention.keep_newest", {}, dialog).fill("2");
      await window.see(window.text("retention.would_remove", { removed: 2, count: 5 }, dialog));
      const goes = (tag) => dialog.getByRole("listitem").filter({ has: window.page.getByText(tag, { exact: true }) });
      await window.see(goes("two"));
      await window.see(goes("three"));
      await dialog.getByText(window.t("retention.list_kept", { count: 3 }), { exact: true }).click();
      await window.see(goes("stable").filter({ hasText: window.t("retention.reason_newest") }));
      await window.see(goes("one").filter({ hasText: window.t("retention.reason_same_image", { by: "stable" }) }));
      // A pattern that cannot be is said beside its field; one that is keeps.
      const pattern = window.field("retention.keep_pattern", {}, dialog);
      await pattern.fill("(");
      await window.see(window.text("failure.bad_regex.what", {}, dialog));
      assert.equal(await pattern.getAttribute("aria-invalid"), "true");
      assert.equal(await window.button("retention.remove_now", {}, dialog).isDisabled(), true);
      await pattern.fill("t.*e");
      await window.see(window.text("retention.would_remove", { removed: 1, count: 5 }, dialog));
      // Nothing at all is no rule.
      await window.field("retention.keep_newest", {}, dialog).fill("");
      await window.see(window.text("common.field_bad", {}, dialog));
      await window.page.keyboard.press("Escape");
      await window.dialogGone();
      assert.deepEqual((await registry.tags(NAME)).sort(), ["four", "one", "stable", "three", "two"]);
    });
  });
}

test("a retention rule removes what was agreed to, at the registry, and is saved", { timeout: 120_000 }, async () => {
  await withWindow(product, { name: "retention-run", path: `/repositories/${repository}/versions` }, async (window) => {
    await window.see(window.row("four"));
    await window.button("retention.open").click();
    const { dialog } = window;
    await window.field("retention.keep_days", {}, dialog).fill("");
    await window.field("retention.keep_newest", {}, dialog).fill("2");
    await window.see(window.text("retention.would_remove", { removed: 2, count: 5 }, dialog), BUILD_MS);
    await window.button("retention.remove_now", {}, dialog).click();
    await window.see(window.text("retention.confirm_title", { count: 2 }, dialog));
    await window.button("common.cancel", {}, dialog).click();
    await window.button("retention.remove_now", {}, dialog).click();
    await window.button("versions.delete_count", { count: 2 }, dialog).click();
    await window.see(window.text("retention.last_removed", { count: 2 }, dialog), BUILD_MS);
    await eventually("the tags are gone", async () => (await registry.tags(NAME)).length === 3);
    assert.deepEqual((await registry.tags(NAME)).sort(), ["four", "one", "stable"]);
    await window.see(window.text("retention.would_remove", { removed: 0, count: 3 }, dialog));
    await dialog.getByRole("checkbox", { name: window.t("retention.on") }).check();
    await window.button("common.save", {}, dialog).click();
    await window.dialogGone();
    await window.gone(window.page.getByRole("button", { name: "two", exact: true }));
    const { rule, last_run } = await product.call("retention.get", { repository });
    assert.deepEqual(rule, { keep_newest: 2, keep_days: null, keep_pattern: null, include_foreign: false });
    assert.equal(last_run.removed, 2);
    // What is saved stands in the form again.
    await window.button("retention.open").click();
    assert.equal(await window.field("retention.keep_newest", {}, dialog).inputValue(), "2");
    assert.equal(await dialog.getByRole("checkbox", { name: window.t("retention.on") }).isChecked(), true);
  });
});
