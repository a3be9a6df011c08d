/** The main path by clicking: from the empty start to a version in a registry, in each language. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Clone, dockerfile, PASSWORD, removeOwnImages, startRegistry, talking } from "./stand/surroundings.mjs";
import { Product } from "./stand/product.mjs";
import { eventually } from "./stand/processes.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

let registry;
before(async () => {
  registry = await startRegistry({ password: PASSWORD });
});
after(async () => {
  await closeBrowser();
  await removeOwnImages();
});

/** The seeds' hello world, on a base image that needs no internet. */
const helloworld = () =>
  Clone.make("helloworld", {
    Dockerfile: dockerfile(`MAINTAINER tencentcloudccs\n${talking("building hello world", 20)}ADD ./ /usr/share/nginx/html\n`),
    "index.html": "hello world\n",
  });

/** Adds the clone under Code sources. */
async function addSource(window, clone) {
  await window.visit("page.sources");
  await window.button("sources.add").first().click();
  await window.field("sources.path", {}, window.dialog).fill(clone.path);
  await window.button("common.test", {}, window.dialog).click();
  await window.see(window.dialog.getByRole("alert").filter({ hasText: "main" }));
  await window.button("common.add", {}, window.dialog).click();
  await window.see(window.row("helloworld"));
}

/** Creates an image repository that the platform builds; ends on its Image build tab. */
async function addRepository(window, name, registryName) {
  await window.visit("page.repositories");
  await window.button("repositories.add").first().click();
  await window.dialog.getByRole("radio", { name: window.t("repositories.source_platform") }).check();
  if (registryName) {
    await window.choose(window.dialog.getByRole("combobox", { name: window.t("repositories.registry") }), new RegExp(registryName));
    await window.choose(window.dialog.getByRole("combobox", { name: window.t("repositories.credential") }), "ann");
  }
  await window.field("common.name", {}, window.dialog).fill(name);
  await window.button("common.add", {}, window.dialog).click();
  await window.see(window.heading("rules.title"));
}

for (const language of ["en", "zh"]) {
  test(
    `seed 0.1, 0.6, 0.7, 0.8, 2.2, 2.11, 3.3, 3.6, 3.7, 3.17, 3.22: checklist to version by clicking (${language})`,
    { timeout: 240_000 },
    async () => {
      const product = await Product.start({ keychain: true });
      const clone = await helloworld();
      await withWindow(product, { name: `main-path-${language}`, language }, async (window) => {
        // The checklist stands on the first page and knows that the engine is there.
        const steps = window.by("region", "overview.first_steps");
        await window.see(steps);
        await window.see(steps.getByRole("listitem").filter({ hasText: window.t("overview.step_engine") }).getByRole("img", { name: window.t("overview.step_done") }));

        await addSource(window, clone);

        // A registry and its login, tested hop by hop.
        await window.visit("page.registries");
        await window.button("registries.add").first().click();
        await window.field("registries.host", {}, window.dialog).fill(registry.host);
        await window.field("common.name", {}, window.dialog).fill("company");
        await window.dialog.getByRole("checkbox", { name: window.t("registries.plain_http") }).check();
        await window.button("common.add", {}, window.dialog).click();
        await window.dialogGone();
        await window.button("registries.add_credential").click();
        await window.field("common.name", {}, window.dialog).fill("ann");
        await window.field("registries.username", {}, window.dialog).fill("ann");
        await window.field("registries.password", {}, window.dialog).fill(PASSWORD);
        await window.dialog.locator("form button[type=submit]").click();
        await window.dialogGone();

        // The image repository, built by the platform: the console goes on to its Image build tab.
        await addRepository(window, "team/helloworld", "company");
        await window.see(window.page.getByRole("tab", { name: window.t("repositories.tab_build"), selected: true }));

        // The rule, with what it will do beside it.
        await window.button("rules.add").click();
        await window.see(window.dialog.getByText(`${registry.host}/team/helloworld:main-`, { exact: false }));
        await window.button("common.save", {}, window.dialog).click();
        await window.dialogGone();
        const rule = window.row("helloworld");
        await window.see(rule);

        // A commit in the clone is a push. Nobody clicks: the build appears, runs and succeeds.
        const commit = await clone.commit("say hello", { "index.html": "hello again\n" });
        const build = window.page.getByRole("row").filter({ hasText: commit.slice(0, 7) }).filter({ hasText: "say hello" });
        await window.see(build, BUILD_MS);
        await build.getByRole("link", { name: "#1" }).click();
        const log = window.by("log", "log.label");
        await window.see(log.getByText("building hello world 1", { exact: true }), BUILD_MS);
        // The line was there before the build was over.
        await window.see(window.buildState("running"));
        await window.see(window.buildState("succeeded"), BUILD_MS);
        await window.tab("builds.tab_result").click();
        await window.see(window.page.getByText(`${registry.host}/team/helloworld:main-`, { exact: false }));

        const tags = await eventually("the registry has the tag", async () => {
          const found = await registry.tags("team/helloworld");
          return found.some((tag) => tag.includes(commit.slice(0, 7))) && found;
        });
        assert.ok(tags.length > 0);

        // The checklist is done with: the first page now shows the build.
        await window.visit("page.overview");
        await window.see(window.row("say hello"));
      });
      await product.stop();
    },
  );
}
