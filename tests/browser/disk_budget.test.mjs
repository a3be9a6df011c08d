/** The disk budget by clicking, on the real engine: only images that this product's own builds made are ever shown or removed. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { addClone, addRepository, addRule, build } from "./stand/prepare.mjs";
import { eventually, run } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile, LABEL, removeOwnImages, startRegistry } from "./stand/surroundings.mjs";
import { closeBrowser, withWindow } from "./stand/window.mjs";

let product;
let registry;
before(async () => {
  registry = await startRegistry();
  product = await Product.start();
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await removeOwnImages();
});

const there = (image) => run("docker", ["image", "inspect", "--format", "{{.Id}}", image]).then(() => true, () => false);

/** Builds a commit of its own; returns the image's id. */
async function built(clone, rule, text) {
  await clone.commit(text, { "page.html": `${text}\n`, Dockerfile: dockerfile(`RUN : ${LABEL} && echo ${text} > /${text}\nCOPY page.html /\n`) });
  const done = await build(product, rule);
  assert.equal(done.state, "succeeded", JSON.stringify(done.failure));
  return done.image.id;
}

test("what would be removed is said first, and nothing else goes", { timeout: 240_000 }, async () => {
  const { id } = await product.call("registries.add", { form: { name: "company", host: registry.host, plain_http: true } });
  const clone = await Clone.make("tidy", { Dockerfile: dockerfile(), "page.html": "none\n" });
  const code = await addClone(product, clone);
  const repository = await addRepository(product, "tidy/site", { registry: id });
  const rule = await addRule(product, repository, code, { auto_trigger: false });
  const local = await addRepository(product, `tidy/local-${process.pid}`);
  const localRule = await addRule(product, local, code, { name: "local", auto_trigger: false });
  const published = await built(clone, rule, "published");
  const used = await built(clone, rule, "used");
  const version = await built(clone, localRule, "version");
  // An image of somebody's: it says that a Slipway made it, but no build of this product did.
  const others = `slipway-test/browser-others:${process.pid}`;
  await run("docker", ["build", "--quiet", "--label", "slipway.build=1", "--label", LABEL, "--tag", others, "-"], {
    input: dockerfile(`RUN : ${LABEL} && echo others > /others\n`),
  });
  const container = await run("docker", ["create", "--label", LABEL, used, "true"]);
  try {
    await withWindow(product, { name: "disk-budget", path: "/settings" }, async (window) => {
      // What is used now stands beside the budget.
      const section = window.page.getByRole("group", { name: window.t("disk.title") });
      await window.see(section.getByText(/^3 images, /));
      await window.see(window.text("disk.never", {}, section));
      const gigabytes = window.field("disk.gigabytes", {}, section);
      assert.equal(await gigabytes.inputValue(), "20");
      await gigabytes.fill("30");
      await window.button("disk.save", {}, section).click();
      await eventually("the budget is kept", async () => (await product.call("disk.budget")).disk_budget_gb === 30);
      await gigabytes.fill("");
      await window.button("disk.save", {}, section).click();
      await window.see(window.text("failure.invalid_field.what", {}, section));
      assert.equal(await gigabytes.getAttribute("aria-invalid"), "true");
      await gigabytes.fill("30");
      await window.button("disk.save", {}, section).click();
      await window.gone(window.text("failure.invalid_field.what", {}, section));

      // Within the budget nothing would go; beyond that one image would, and the reasons of the others are said.
      await window.button("disk.tidy", {}, section).click();
      await window.see(window.text("disk.nothing_over", {}, window.dialog));
      await window.segment("disk.reach_everything").click();
      await window.see(window.dialog.getByText(/^1 image would go/));
      const rows = window.dialog.getByRole("region", { name: window.t("disk.rows") });
      await window.see(rows.getByText(new RegExp(`${registry.host}/tidy/site:main-`)));
      await window.see(window.text("disk.need_container", { count: 1 }, window.dialog));
      await window.see(window.text("disk.need_version", { count: 1 }, window.dialog));
      assert.equal(await there(published), true, "nothing goes before a person says so");
      await window.button("disk.tidy_count", { count: 1 }, window.dialog).click();
      await window.dialogGone();
      await eventually("it is gone", async () => !(await there(published)));
      for (const image of [used, version, others]) assert.equal(await there(image), true);
      assert.equal((await registry.tags("tidy/site")).length, 2, "the registry keeps both");
      await window.see(section.getByText(/^2 images, /));
      await window.see(section.getByText(window.t("disk.by_person"), { exact: false }));

      // The cache is everybody's: the dialog says so, and by keyboard one leaves it without a change.
      const shrink = window.button("disk.shrink", {}, section);
      await shrink.focus();
      await window.page.keyboard.press("Enter");
      await window.see(window.text("disk.shrink_text", {}, window.dialog));
      await window.page.keyboard.press("Escape");
      await window.dialogGone();
      await window.focusOn(shrink);
    });
  } finally {
    await run("docker", ["rm", "--force", container]).catch(() => undefined);
    await run("docker", ["rmi", others]).catch(() => undefined);
  }
});

test("an engine that is away is said beside the budget, which can be set all the same", { timeout: 60_000 }, async () => {
  const alone = await Product.start({ env: { DOCKER_HOST: "unix:///nowhere/docker.sock" } });
  try {
    await withWindow(alone, { name: "disk-budget-away", path: "/settings", language: "zh" }, async (window) => {
      const section = window.page.getByRole("group", { name: window.t("disk.title") });
      await window.see(window.text("failure.engine_absent.what", {}, section));
      await window.turn(section.getByRole("switch", { name: window.t("disk.limit") }), false);
      await window.button("disk.save", {}, section).click();
      await eventually("there is no limit", async () => (await alone.call("disk.budget")).disk_budget_gb === null);
    });
  } finally {
    await alone.stop();
  }
});
