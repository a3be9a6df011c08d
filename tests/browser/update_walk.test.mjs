/** From an empty console to the page that changes by itself, and back, by clicking. */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Product } from "./stand/product.mjs";
import { records, served, serves, serving, UPDATE_MS } from "./stand/services.mjs";
import { Clone, removeOwnContainers, removeOwnImages, servicesName } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

after(async () => {
  await closeBrowser();
  await removeOwnContainers();
  await removeOwnImages();
});

/** The address behind the button "Open" that stands inside something. */
async function openedBy(window, within) {
  const button = within.getByRole("button", { name: /localhost:\d+/ });
  await window.see(button, UPDATE_MS);
  const [, port] = /localhost:(\d+)/.exec(await button.getAttribute("aria-label"));
  const opened = await window.opens(() => button.click());
  const text = (await opened.locator("body").innerText()).trim();
  const url = opened.url();
  await opened.close();
  assert.equal(new URL(url).port, port);
  return { url, text };
}

for (const language of ["en", "zh"]) {
  test(
    `seed 4.2, 4.3, 4.6, 4.9, 4.10, 4.11, 4.13, 4.14, 4.15, K.3: from an empty console to the page that changes by itself, and back (${language})`,
    { timeout: 420_000 },
    async () => {
      const product = await Product.start();
      const clone = await Clone.make("helloworld", serving("hello world"));
      const name = servicesName(`walk-${language}`);
      await withWindow(product, { name: `triggers-${language}`, language }, async (window) => {
        const { page } = window;
        // The code, the image repository, the rule, and its first build.
        await window.visit("page.sources");
        await window.button("sources.add").first().click();
        await window.field("sources.path", {}, window.dialog).fill(clone.path);
        await window.button("common.add", {}, window.dialog).click();
        await window.see(window.row("helloworld"));
        await window.visit("page.repositories");
        await window.button("repositories.add").first().click();
        await window.field("common.name", {}, window.dialog).fill(`${name}/helloworld`);
        await window.button("common.add", {}, window.dialog).click();
        await window.see(window.heading("rules.title"));
        await window.button("rules.add").click();
        await window.see(window.dialog.getByText(`${name}/helloworld:main-`, { exact: false }));
        await window.button("rules.save_and_build", {}, window.dialog).click();
        await window.see(window.buildState("succeeded"), BUILD_MS);

        // No service yet: the image of the build becomes one, and its address opens.
        await window.tab("builds.tab_result").click();
        await window.link("run.title").first().click();
        const image = window.dialog.getByRole("combobox", { name: window.t("firings.tag") });
        await window.see(image);
        assert.match(await image.inputValue(), /^main-/);
        await window.see(window.field("run.port_inside", {}, window.dialog).and(page.locator('[value="80"]')));
        await window.field("common.name", {}, window.dialog).fill(name);
        await window.button("run.start", {}, window.dialog).click();
        await window.see(window.text("run.runs", { name }, window.dialog), UPDATE_MS);
        const { url, text } = await openedBy(window, window.dialog);
        assert.equal(text, "hello world");

        // A trigger for it, with condition All; the service is chosen already, with what it runs.
        await window.link("run.make_trigger", {}, window.dialog).click();
        await window.see(page.getByRole("dialog", { name: window.t("image_triggers.new_title") }));
        await window.see(window.text("image_triggers.live_count", { matching: 1, count: 1 }, window.dialog));
        assert.ok(await window.dialog.getByRole("radio", { name: window.t("image_triggers.condition_all"), exact: true }).isChecked());
        await window.see(window.by("region", "image_triggers.runs_now", {}, window.dialog).getByText(window.t("targets.health_running")));
        assert.equal(await window.dialog.getByRole("combobox", { name: window.t("image_triggers.service") }).inputValue(), name);
        await window.field("image_triggers.name", {}, window.dialog).fill("page");
        await window.button("common.save", {}, window.dialog).click();
        await window.dialogGone();
        await window.see(window.row(window.t("image_triggers.words_all")));

        // A commit. Nobody clicks: the record appears and succeeds, and the page is another one.
        const commit = await clone.commit("say hello again", { "index.html": "hello again\n" });
        await window.see(records(window, "succeeded").filter({ hasText: commit.slice(0, 7) }), BUILD_MS + UPDATE_MS);
        await serves(url, "hello again");

        // The record says what was done.
        await records(window, "succeeded").filter({ hasText: commit.slice(0, 7) }).getByRole("button").first().click();
        await window.see(page.getByRole("dialog", { name: new RegExp(commit.slice(0, 7)) }));
        await window.see(window.text("deploy.step_start_new", {}, window.dialog));
        await window.see(window.text("firings.gap", {}, window.dialog));
        await window.see(window.dialog.getByLabel(window.t("firings.log"), { exact: true }));
        // From the commit one follows it too: the build names the trigger that it fired.
        await window.link("firings.open_build", {}, window.dialog).click();
        await window.see(window.by("region", "firings.fired").getByRole("link", { name: "page" }));

        // The target, its address, and everything that it ran.
        await window.visit("page.targets");
        const row = window.row(name);
        await window.see(row);
        await window.see(row.getByRole("link", { name: "page" }));
        assert.equal((await openedBy(window, row)).text, "hello again");
        await row.getByRole("button", { name, exact: true }).click();
        await window.see(window.text("targets.current", {}, window.dialog));

        // Back to what ran before: pinned, and the trigger waits.
        await window.button("targets.roll_back_to", { version: `main-${(await clone.git("rev-parse", "HEAD~1")).slice(0, 7)}` }, window.dialog).click();
        await window.see(window.text("targets.roll_back_pauses", { names: "page" }, window.dialog));
        await window.button("targets.roll_back", {}, window.dialog).click();
        await window.see(window.dialog.getByText(window.t("firings.state_succeeded"), { exact: true }), UPDATE_MS);
        await serves(url, "hello world");
        const [repository] = (await product.call("image_repositories.list")).items;
        await window.go(`/repositories/${repository.repository.id}/triggers`);
        const resume = window.button("targets.resume_name", { name });
        await window.see(resume);
        const third = await clone.commit("third", { "index.html": "hello once more\n" });
        await window.see(records(window, "skipped").filter({ hasText: third.slice(0, 7) }), BUILD_MS);
        assert.equal(await served(url), "hello world");

        // Resumed, it goes on with what it left out.
        await resume.click();
        await window.gone(resume);
        await serves(url, "hello once more");
      });
      await product.stop();
    },
  );
}
