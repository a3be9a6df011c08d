/** The workflow of an image repository by clicking: made by a rule, its execution history, and a build beside the one before it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { addClone, addRepository, addRule, build } from "./stand/prepare.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile, LABEL, removeOwnImages } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

let product;
let clone;
let code;
before(async () => {
  product = await Product.start();
  clone = await Clone.make("helloworld", {
    Dockerfile: dockerfile(`ARG WHO=nobody\nRUN : ${LABEL} && echo ready\nADD ./page /page\nRUN : ${LABEL} && echo hello $WHO\n`),
    "page/index.html": "hello world\n",
  });
  code = await addClone(product, clone);
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await removeOwnImages();
});

for (const language of ["en", "zh"]) {
  test(`seed 2.13, 2.14, 3.23: the rule makes the workflow; its build records stand there, each with its log (${language})`, async () => {
    const name = `workflow/made-${language}`;
    const repository = await addRepository(product, name);
    await withWindow(product, { name: `workflow-${language}`, language, path: `/repositories/${repository}/workflow` }, async (window) => {
      // Without a rule there is none.
      await window.see(window.text("workflow.empty"));
      await window.link("repositories.tab_build").click();
      await window.button("rules.add").click();
      await window.see(window.dialog.getByText(`${name}:main-`, { exact: false }));
      await window.field("common.name", {}, window.dialog).fill("page");
      await window.button("common.save", {}, window.dialog).click();
      await window.dialogGone();
      await window.tab("repositories.tab_workflow").click();
      await window.see(window.page.getByRole("heading", { name: "workflow_docker_builder" }));
      await window.see(window.text("workflow.made_by", { rules: "page" }));
      await window.see(window.text("workflow.no_runs"));

      // Another rule's runs are not this one's.
      const [{ id: rule }] = await product.call("rules.list", { repository });
      const other = await addRule(product, repository, code, { name: "other", triggers: {}, version: { kind: "templates", templates: ["other-{n}"] } });
      await build(product, rule);
      const second = await build(product, rule);
      const third = await build(product, other);
      await window.tab("repositories.tab_build").click();
      await window.pick("page", "rules.view_records");
      await window.see(window.by("button", "workflow.show_run", { number: 2 }));
      assert.equal(await window.by("button", "workflow.show_run", { number: third.number }).count(), 0);
      assert.match(window.page.url(), new RegExp(`/repositories/${repository}/workflow\\?rule=${rule}$`));

      // The newest of its runs is open: the stages, what went in, what came out.
      const run = window.by("region", "workflow.run_number", { number: 2 });
      await window.see(run);
      const stages = window.by("list", "workflow.stages", {}, run);
      for (const stage of ["checkout", "build", "push", "triggers"]) await window.see(stages.getByText(window.t(`builds.stage_${stage}`), { exact: true }));
      assert.equal(await stages.getByText(window.t("builds.state_succeeded"), { exact: true }).count() >= 2, true);
      await window.see(window.by("region", "workflow.parameters", {}, run).getByText("main", { exact: true }));
      const outputs = window.by("region", "workflow.outputs", {}, run);
      await window.see(outputs.getByText(`docker.io/${name}:${second.tags[0]}`, { exact: true }));
      await window.see(outputs.getByText(second.image.id.replace("sha256:", "").slice(0, 12), { exact: false }));

      // Another one instead, in the address; then its log.
      await window.button("workflow.show_run", { number: 1 }).click();
      await window.see(window.by("region", "workflow.run_number", { number: 1 }));
      await window.gone(run);
      await window.reload();
      await window.see(window.by("region", "workflow.run_number", { number: 1 }));
      await window.link("workflow.log_of", { number: 1 }).click();
      await window.see(window.page.getByRole("heading", { level: 1, name: "#1" }));
      await window.see(window.by("log", "log.label"));
      await window.page.goBack();
      await window.see(window.by("region", "workflow.run_number", { number: 1 }));
      // All rules again.
      await window.choose(window.page.getByRole("combobox", { name: window.t("builds.rule") }), window.t("builds.all_rules"));
      await window.see(window.by("region", "workflow.run_number", { number: third.number }));
    });
  });
}

test("seed 2.16, 3.23: a build is compared with the one before, and its parameters and log are saved", async () => {
  const repository = await addRepository(product, "workflow/compared");
  const rule = await addRule(product, repository, code, { triggers: {}, options: { args: [{ name: "WHO", value: "nobody" }] } });
  await build(product, rule);
  const same = await build(product, rule);
  await clone.commit("another page", { "page/index.html": "hello again\n" });
  const changed = await build(product, rule);
  assert.equal(changed.state, "succeeded");
  await withWindow(product, { name: "compared", path: `/builds/${changed.id}/timeline` }, async (window) => {
    const comparison = window.by("region", "comparison.title");
    await window.see(comparison, BUILD_MS);
    await window.see(window.text("comparison.first_run", {}, comparison));
    await window.see(comparison.getByText("ADD ./page /page", { exact: false }));
    await window.see(comparison.getByText("another page", { exact: false }));
    // The same again differs in nothing.
    await window.go(`/builds/${same.id}/timeline`);
    await window.see(window.text("comparison.nothing", {}, comparison));
    // With another argument it is named.
    await window.pick(`#${same.number}`, "builds.rerun_changed");
    await window.field("rules.args", {}, window.dialog).fill("WHO=world");
    await window.button("builds.rerun", {}, window.dialog).click();
    // The page of the build before, which succeeded too, stands until the new one has a number.
    await window.see(window.page.getByRole("heading", { level: 1, name: `#${changed.number + 1}` }));
    await window.see(window.buildState("succeeded"), BUILD_MS);
    await window.tab("builds.tab_timeline").click();
    await window.see(comparison.getByRole("listitem").filter({ hasText: "WHO" }).filter({ hasText: "world" }));

    await window.tab("builds.tab_parameters").click();
    const [file] = await Promise.all([window.page.waitForEvent("download"), window.button("parameters.save").click()]);
    assert.match(file.suggestedFilename(), /^workflow-compared-\d+\.parameters\.json$/);
    const saved = JSON.parse(readFileSync(await file.path(), "utf8"));
    assert.deepEqual(saved.inputs.options.args, [{ name: "WHO", value: "world" }]);
    await window.tab("builds.tab_log").click();
    const [log] = await Promise.all([window.page.waitForEvent("download"), window.button("log.download").click()]);
    assert.match(readFileSync(await log.path(), "utf8"), /hello world/);
  });
});
