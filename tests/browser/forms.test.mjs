/** Forms and lists as a person meets them: what must be filled in, what was checked, what is offered. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { addClone, addRepository, addRule } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile, removeOwnImages } from "./stand/surroundings.mjs";
import { closeBrowser, withWindow } from "./stand/window.mjs";

let product;
let repository;
before(async () => {
  product = await Product.start();
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await removeOwnImages();
});

test("an empty list offers its one thing once, and an address that names nothing says so everywhere", async () => {
  await withWindow(product, { name: "empty-lists" }, async (window) => {
    for (const [path, key] of [["/repositories", "repositories.add"], ["/sources", "sources.add"], ["/registries", "registries.add"]]) {
      await window.go(path);
      await window.see(window.button(key));
      await window.settled();
      assert.equal(await window.button(key).count(), 1, path);
    }
    await window.go("/nowhere");
    await window.see(window.heading("page.not_found"));
    await window.see(window.by("navigation", "shell.breadcrumbs").getByText(window.t("page.not_found")));
  });
});

for (const language of ["en", "zh"]) {
  test(`every required field that is empty says so beside itself, in the person's language (${language})`, async () => {
    await withWindow(product, { name: `required-${language}`, language }, async (window) => {
      const told = [];
      await window.page.route("**/rpc/*.add", (route) => (told.push(route.request().url()), route.fallback()));
      for (const [path, fields] of [
        ["/sources?dialog=add", ["sources.path", "common.name"]],
        ["/registries?dialog=add", ["registries.host", "common.name"]],
        ["/repositories?dialog=add", ["common.name"]],
      ]) {
        await window.go(path);
        await window.see(window.field(fields[0], {}, window.dialog));
        await window.button("common.add", {}, window.dialog).click();
        await window.see(window.text("common.required", {}, window.dialog));
        assert.equal(await window.dialog.getByText(window.t("common.required"), { exact: true }).count(), fields.length, path);
        for (const key of fields) assert.equal(await window.field(key, {}, window.dialog).getAttribute("aria-invalid"), "true", key);
        // Filled in, it is said no more.
        await window.field("common.name", {}, window.dialog).fill("something");
        assert.equal(await window.field("common.name", {}, window.dialog).getAttribute("aria-invalid"), null);
      }
      assert.deepEqual(told, [], "nothing was sent");
      // What the core refuses is said in this language too, with its own sentence after it.
      await window.go("/registries?dialog=add");
      await window.field("registries.host", {}, window.dialog).fill("no host!");
      await window.button("common.add", {}, window.dialog).click();
      await window.see(window.dialog.locator("[lang=en]"));
      const said = await window.dialog.locator("[lang=en]").first().locator("..").innerText();
      assert.equal(/[一-鿿]/.test(said), language === "zh", said);
      // Chrome tells of the answer with an error status.
      window.complaints = window.complaints.filter((text) => !text.includes("/rpc/"));
    });
  });
}

test("the checks of a rule speak of what stands in the form, never of what stood there", async () => {
  const clone = await Clone.make("helloworld", { Dockerfile: dockerfile("ADD ./ /site\n"), "index.html": "hello\n" });
  const code = await addClone(product, clone);
  repository = await addRepository(product, "forms/checked");
  await addRule(product, repository, code, { triggers: {} });
  await withWindow(product, { name: "checked", path: `/repositories/${repository}/build?dialog=new-rule` }, async (window) => {
    const inOrder = window.text("rules.preflight_ok", {}, window.dialog);
    await window.see(inOrder);
    // At once, not when the answer is there.
    await window.field("rules.dockerfile", {}, window.dialog).fill("nowhere/Dockerfile");
    assert.equal(await inOrder.isVisible(), false);
    await window.see(window.text("failure.dockerfile_missing.what", {}, window.dialog));
    await window.field("common.name", {}, window.dialog).fill(" ");
    await window.field("rules.dockerfile", {}, window.dialog).fill("Dockerfile");
    await window.see(window.text("rules.preflight_waits", {}, window.dialog));
    assert.equal(await inOrder.isVisible(), false);
    await window.button("common.save", {}, window.dialog).click();
    await window.see(window.text("common.required", {}, window.dialog));
    assert.equal((await product.call("rules.list", { repository })).length, 1);
  });
});

test("Build now offers the usual branch without opening its list, and a copy names its rule", async () => {
  await withWindow(product, { name: "build-now-quiet", path: `/repositories/${repository}/build?dialog=now` }, async (window) => {
    const branch = window.dialog.getByRole("combobox", { name: window.t("builds.now_branch") });
    await window.see(branch);
    await window.focusOn(branch);
    await eventually("the usual branch is offered", async () => (await branch.inputValue()) === "main");
    await window.settled();
    assert.equal(await window.page.getByRole("option").filter({ visible: true }).count(), 0);
    await window.go(`/repositories/${repository}/build`);
    await window.pick("site", "common.duplicate");
    await window.see(window.page.getByRole("dialog", { name: window.t("rules.duplicate_title", { name: "site" }) }));
  });
});
